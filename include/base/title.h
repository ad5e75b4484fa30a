/* The title that ps(1) and top(1) show for this process: role, slot, generation. */
#ifndef TINYLB_BASE_TITLE_H
#define TINYLB_BASE_TITLE_H

/*
 * To be called first thing in main(): moves the environment away so that its room, and that of the
 * arguments, can hold titles. Without it title_set only sets the thread's name.
 */
void title_init(int argc, char **argv);

/* Shows "tinylb: " and the given text, cut to the room there is. */
void title_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
