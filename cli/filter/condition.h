/* An expression of --where that a report is to meet, rather than a frame. */
#ifndef CLI_CONDITION_H
#define CLI_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

struct cli_condition;

/*
 * Reads the expression that is the value of an option, such as "--until".
 * `reporter` is the command that prints what it is about, for where jq takes
 * more.  CLI_OK, or an exit status after a message.
 */
int cli_condition_init(struct cli_condition **condition_out, const char *option,
                       const char *text, const char *reporter);
void cli_condition_free(struct cli_condition *condition);

/* Judges the JSON of a report about `subject`.  CLI_OK; CLI_INPUT or CLI_SYSTEM
 * after a message where it cannot be judged. */
int cli_condition_judge(struct cli_condition *condition, const char *subject,
                        const char *json, size_t size_bytes, bool *holds_out);

/* Says that it does not hold. */
void cli_condition_report(const struct cli_condition *condition,
                          const char *subject);

#endif
