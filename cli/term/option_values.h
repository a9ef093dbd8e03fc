/* Reading the kinds of values that many options have, each with one wording for
 * its errors. */
#ifndef CLI_OPTION_VALUES_H
#define CLI_OPTION_VALUES_H

#include <stdint.h>

/*
 * Reads the value of an option.  `name` is the option as messages show it, such
 * as "--poll".  If `text` is NULL, as the option was not given, nothing
 * changes.  Returns CLI_OK, or CLI_USAGE after a message.
 */
int cli_option_duration(const char *name, const char *text, int64_t *ns_out);

/* A SIZE of a log, whose header takes `least` bytes. */
int cli_option_capacity(const char *name, const char *text, uint64_t least,
                        uint64_t *bytes_out);

/* A number of `what`, as "frames". */
int cli_option_count(const char *name, const char *text, const char *what,
                     uint64_t *count_out);

/* A number of frames, which may have the letters of a SIZE: 1K is 1024, as GNU
 * head and tail take it. */
int cli_option_frames(const char *name, const char *text, uint64_t *count_out);

#endif
