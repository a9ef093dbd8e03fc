/* Makes the body of a request: what the options say, and a prompt or
 * several. */
#ifndef DISPATCH_REQUEST_H
#define DISPATCH_REQUEST_H

#include "bytes.h"
#include "members.h"

#include <stdbool.h>
#include <stddef.h>

struct cli_args;
struct dispatch_options;
struct prompt;

/* What all requests have in common. */
struct request {
	struct members members;
	/* A request with one message, but for its text. */
	struct bytes head;
	struct bytes tail;
};

/* Reads what the options and the files that they name say.  CLI_OK, or an exit
 * status after a message. */
int request_init(struct request *request,
                 const struct dispatch_options *options);
void request_release(struct request *request);

/* Whether a prompt is a message, which may be joined with others, rather than a
 * request of its own or no text. */
bool request_can_join(const struct prompt *prompt);

/* Adds the body of the request for some prompts.  False if one is not UTF-8. */
bool request_add(const struct request *request, struct prompt *const *prompts,
                 size_t count, struct bytes *out);

#endif
