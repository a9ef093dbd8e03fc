/* Answers calls by a model, through the Messages interface. */
#ifndef DISPATCH_MODEL_H
#define DISPATCH_MODEL_H

struct dispatch_options;
struct dispatcher;
struct secret;
struct way;

/* CLI_OK, or an exit status after a message.  Ended by way->close(). */
int answer_model_new(const struct dispatch_options *options,
                     struct dispatcher *dispatcher, struct secret *secret,
                     struct way **way_out);

#endif
