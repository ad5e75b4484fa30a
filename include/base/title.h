/* The title that ps(1) and top(1) show for this process: role, slot, generation. */
#ifndef TINYLB_BASE_TITLE_H
#define TINYLB_BASE_TITLE_H

/*
 * To be called first thing in main(): moves arguments and environment away so that their room can
 * hold titles; argv then points to copies. Without it title_set does nothing.
 */
void title_init(int argc, char **argv);

/* The arguments as main() got them, in their order, ended by a NULL; for the life of the process.
 * NULL without title_init. */
char *const *title_arguments(void);

/* Shows "tinylb: " and the given text, cut to the room there is. */
void title_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
