/* What is wrong with a string, of options that do not take any. */
#ifndef TINYLB_SETTINGS_CHECK_OPTION_H
#define TINYLB_SETTINGS_CHECK_OPTION_H

/* NULL: nothing is. */
const char *check_option_path_fault(const char *text);
const char *check_option_host_fault(const char *text);
const char *check_option_status_fault(const char *text);

#endif
