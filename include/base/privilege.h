/* Giving up root's rights. */
#ifndef TINYLB_BASE_PRIVILEGE_H
#define TINYLB_BASE_PRIVILEGE_H

/* Becomes `user` and `group` (NULL: the user's own group, or no change). Without root's rights
 * nothing changes. 0, or -1 with errno and *what that failed. */
int privilege_drop(const char *user, const char *group, const char **what)
	__attribute__((warn_unused_result));

/* Of root's rights nothing is left: becomes `user`, or (NULL) nobody. For who needs no right at
 * all. 0, or -1 with errno. */
int privilege_leave_root(const char *user) __attribute__((warn_unused_result));

#endif
