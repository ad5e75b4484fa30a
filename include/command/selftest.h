/* `tinylb selftest`: proves on the user's own machine that no connection is lost. */
#ifndef TINYLB_COMMAND_SELFTEST_H
#define TINYLB_COMMAND_SELFTEST_H

/* argv[0] is the word "selftest". Returns the exit code: 0 nothing was lost, 1 something was or it
 * could not be found out, 2 wrong usage. */
int command_selftest(int argc, char **argv);

#endif
