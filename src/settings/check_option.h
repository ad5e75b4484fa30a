/* What is wrong with a string of an option of checks, for option.fault. */
#ifndef TINYLB_SETTINGS_CHECK_OPTION_H
#define TINYLB_SETTINGS_CHECK_OPTION_H

/* Each returns what would be right instead of `text`, or NULL: nothing is wrong. */
const char *check_option_path_fault(const char *text);
const char *check_option_host_fault(const char *text);
const char *check_option_status_fault(const char *text);

/* Reads statuses, "200-399" or "204": the least and the most of them. 0, or -1: it is neither. */
int check_option_parse_status(const char *text, int *least, int *most)
	__attribute__((warn_unused_result));

#endif
