/* Answers calls by processes that stay: each gets a line of JSON for a prompt
 * and answers with one. */
#ifndef DISPATCH_ANSWER_WORKER_H
#define DISPATCH_ANSWER_WORKER_H

#include "json_scan.h"

#include <stdbool.h>
#include <stddef.h>

struct bytes;
struct call;
struct dispatch_options;
struct loop;
struct prompt;
struct way;

/* NULL when memory is short; ended by way->close(). */
struct way *answer_worker_new(const struct dispatch_options *options,
                              struct loop *loop);

/* Adds the line that a worker gets for a prompt. */
void worker_line(struct bytes *line, const struct prompt *prompt);

/* Takes the line that a worker has answered with, which makes the outcome of
 * the call.  False, with a reason in plain words, if it is no answer to this
 * call. */
bool worker_take_answer(struct call *call, struct cli_json_span line,
                        const char **reason_out);

#endif
