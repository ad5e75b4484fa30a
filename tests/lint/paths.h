/* What the makefile defines for the real build, for the tools of `make lint`. */
#define SYSCONFDIR    "/etc"
#define LOCALSTATEDIR "/var"
