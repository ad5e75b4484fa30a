# shellcheck shell=sh
# What packaging/quickstart and tests/run share: missing Debian packages are installed here, and a
# build folder is made here. To be sourced from the top of the checkout.

say() {
	printf '%s\n' "$*"
}

die() {
	printf '%s: %s\n' "$0" "$*" >&2
	exit 1
}

# Debian and what stems from it only: elsewhere the packages have other names.
need_apt() {
	command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1 && return
	die 'this system has no apt. Here the ordinary way works: install a C compiler, autoconf,' \
		'automake, pkg-config, libevent and libconfig, then' \
		'./autogen.sh && ./configure && make && ./tinylb demo'
}

need_root() {
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1 ||
		die 'installing packages needs root or sudo, and here is neither'
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Prints those of the named packages that are not installed.
missing_packages() {
	for missing_name in "$@"; do
		missing_state=$(dpkg-query -W -f='${db:Status-Status} ' "$missing_name" 2>/dev/null) || :
		case " $missing_state" in
		*' installed '*) ;;
		*) printf ' %s' "$missing_name" ;;
		esac
	done
}

# Installs those of the named packages that are missing, with apt's messages in build/packages.log.
# Where none is, apt is not asked at all.
need_packages() {
	need_apt
	need_list=$(missing_packages "$@")
	[ -n "$need_list" ] || return 0
	need_root
	say "Installing:$need_list"
	mkdir -p build
	# shellcheck disable=SC2086 # a list of words
	if ! { as_root apt-get -o DPkg::Lock::Timeout=300 -qq update &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq -y \
			--no-install-recommends install $need_list; } >build/packages.log 2>&1 </dev/null; then
		tail -n 20 build/packages.log >&2
		say "apt could not install them; all its messages are in build/packages.log" >&2
		return 1
	fi
}

# Sets $source to the folder to build from, as seen from a build folder: this one, or where somebody
# has configured this one itself (a second build folder beside that is refused), a copy of it.
find_source() {
	source=../..
	[ -f config.status ] || return 0
	source=../source
	say 'This folder is configured for a build of its own: building a copy of it, build/source'
	mkdir -p build/source
	tar -cf - --exclude=./build --exclude=./.git --exclude='*.[oa]' --exclude='*.trs' \
		--exclude='*.log' --exclude=.deps --exclude=.dirstamp --exclude=./config.status \
		--exclude=./config.h --exclude=./Makefile --exclude=./stamp-h1 --exclude=./tinylb \
		. | tar -xf - -C build/source
}

# build_folder NAME ARGUMENTS: makes and configures build/NAME. One that is configured for these
# sources is taken as it is; make itself notices when configure.ac or Makefile.am changed.
build_folder() (
	grep -qsx "srcdir = $source" "build/$1/Makefile" || rm -rf "build/$1"
	mkdir -p "build/$1" && cd "build/$1" || exit
	shift
	if [ -z "$(find "$source" -maxdepth 1 -name configure -newer "$source/configure.ac")" ]; then
		"$source/autogen.sh" || exit
	fi
	[ -f Makefile ] || "$source/configure" "$@"
)
