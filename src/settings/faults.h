/* What is wrong with a string, of options that do not take any. */
#ifndef TINYLB_SETTINGS_FAULTS_H
#define TINYLB_SETTINGS_FAULTS_H

/* NULL: nothing is. */
const char *check_path_fault(const char *text);
const char *check_host_fault(const char *text);
const char *check_status_fault(const char *text);

#endif
