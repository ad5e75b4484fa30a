# Fuzz targets, each made from the file of its name and fuzz.c. Configured with --enable-fuzzing CC=clang:
# `make fuzz` builds them, `make fuzz-smoke` runs each for FUZZ_SECONDS. tests/fuzz/FUZZING says more.
EXTRA_DIST += tests/fuzz
if FUZZING
FUZZ_HTTP = tests/fuzz/fuzz_request tests/fuzz/fuzz_response tests/fuzz/fuzz_chunk \
	tests/fuzz/fuzz_forward
FUZZ_NET = tests/fuzz/fuzz_address tests/fuzz/fuzz_canonical
FUZZ_SETTINGS = tests/fuzz/fuzz_settings
FUZZ_PROXY = tests/fuzz/fuzz_relay tests/fuzz/fuzz_exchange
FUZZ_TARGETS = $(FUZZ_HTTP) $(FUZZ_NET) $(FUZZ_SETTINGS) $(FUZZ_PROXY)
EXTRA_PROGRAMS += $(FUZZ_TARGETS)
CLEANFILES += $(FUZZ_TARGETS) libfuzz.a

EXTRA_LIBRARIES = libfuzz.a
libfuzz_a_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz.c
tests_fuzz_fuzz_exchange_SOURCES = tests/fuzz/fuzz_exchange.c \
	tests/fuzz/judge.h tests/fuzz/judge.c tests/fuzz/talk.c tests/fuzz/token.c \
	tests/fuzz/kernel.h tests/fuzz/kernel.c tests/fuzz/world.h tests/fuzz/world.c tests/fuzz/peer.c
tests_fuzz_fuzz_canonical_SOURCES = tests/fuzz/fuzz_canonical.c tests/lib/path_models.h \
	tests/lib/path_models.c

$(FUZZ_HTTP): libfuzz.a $(HTTP)
$(FUZZ_NET): libfuzz.a libhttp.a $(NET)
$(FUZZ_SETTINGS): libfuzz.a libhttp.a $(SETTINGS)
$(FUZZ_PROXY): libfuzz.a $(PROXY)
$(FUZZ_HTTP): LDADD = libfuzz.a $(HTTP)
$(FUZZ_NET): LDADD = libfuzz.a libhttp.a $(NET)
$(FUZZ_SETTINGS): LDADD = libfuzz.a libhttp.a $(SETTINGS) $(LIBCONFIG_LIBS)
$(FUZZ_PROXY): LDADD = libfuzz.a $(PROXY) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS)
$(FUZZ_TARGETS): AM_LDFLAGS += -fsanitize=fuzzer
tests_fuzz_fuzz_settings_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=open
tests_fuzz_fuzz_relay_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=connection_write
tests_fuzz_fuzz_exchange_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_us,--wrap=clock_ms \
	-Wl,--wrap=socket,--wrap=recv,--wrap=send,--wrap=sendmsg,--wrap=pipe2,--wrap=splice \
	-Wl,--wrap=bufferevent_socket_connect

fuzz: $(FUZZ_TARGETS)

fuzz-smoke: fuzz
	$(SHELL) $(top_srcdir)/tests/fuzz/smoke $(FUZZ_TARGETS)
endif

.PHONY: fuzz fuzz-smoke
