/* Answers each call by a run of a command: the payload on its standard input,
 * the reply from its standard output. */
#ifndef DISPATCH_ANSWER_EXEC_H
#define DISPATCH_ANSWER_EXEC_H

struct dispatch_options;
struct loop;
struct way;

/* NULL when memory is short; ended by way->close(). */
struct way *answer_exec_new(const struct dispatch_options *options,
                            struct loop *loop);

#endif
