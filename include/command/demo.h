/* `tinylb demo`: three small backends and a balancer in front of them, to see it work. */
#ifndef TINYLB_COMMAND_DEMO_H
#define TINYLB_COMMAND_DEMO_H

/* argv[0] is the word "demo". Returns the exit code: 0 ended by the user, 1 could not start, 2
 * wrong usage. */
int command_demo(int argc, char **argv);

#endif
