/* Becomes another user for good: supplementary groups first, the user last. */
#include "config.h"

#include "base/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <unistd.h>

static int find_group(const char *name, gid_t *gid)
{
	const struct group *found;

	errno = 0;
	found = getgrnam(name);
	if (found == NULL) {
		errno = errno != 0 ? errno : ENOENT;
		return -1;
	}
	*gid = found->gr_gid;
	return 0;
}

static int become(const struct passwd *user, gid_t gid, const char **what)
{
	*what = "setting groups";
	if (user != NULL ? initgroups(user->pw_name, gid) == -1 : setgroups(1, &gid) == -1)
		return -1;
	*what = "setting the group";
	if (setresgid(gid, gid, gid) == -1)
		return -1;
	*what = "setting the user";
	if (user != NULL && setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == -1)
		return -1;
	return 0;
}

int privilege_drop(const char *user, const char *group, const char **what)
{
	const struct passwd *found = NULL;
	gid_t gid = getgid();

	if (geteuid() != 0 || (user == NULL && group == NULL))
		return 0;
	*what = "looking the user up";
	errno = 0;
	if (user != NULL && (found = getpwnam(user)) == NULL) {
		errno = errno != 0 ? errno : ENOENT;
		return -1;
	}
	if (found != NULL)
		gid = found->pw_gid;
	*what = "looking the group up";
	if (group != NULL && find_group(group, &gid) == -1)
		return -1;
	return become(found, gid, what);
}

int privilege_leave_root(const char *user)
{
	const struct passwd *found;

	if (geteuid() != 0)
		return 0;
	errno = 0;
	found = getpwnam(user != NULL ? user : "nobody");
	if (found == NULL || setgroups(0, NULL) == -1 || setgid(found->pw_gid) == -1)
		return -1;
	return setuid(found->pw_uid);
}
