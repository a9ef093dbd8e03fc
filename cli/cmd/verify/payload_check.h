/* Checking payloads where verify is told what they must be: JSON, UTF-8, or
 * values of a type. */
#ifndef PAYLOAD_CHECK_H
#define PAYLOAD_CHECK_H

#include "options.h"
#include "typed.h"

#include <shmlog.h>
#include <stdbool.h>

/* The kinds that payloads can be required to have. */
enum payload_kind {
	PAYLOAD_ANYTHING,
	PAYLOAD_JSON,
	PAYLOAD_UTF8,
	PAYLOAD_TYPED,
};

struct payload_check {
	enum payload_kind kind;
	const char *name; /* "json", "utf8", or the name of the type */
	struct cli_typed typed;
};

/* Where the options stand. */
struct payload_places {
	size_t payload;
	struct cli_typed_places typed;
};

/* Reads the options.  Returns CLI_OK, or an exit status after a message; must
 * be released in either case. */
int payload_check_init(struct payload_check *check, const struct cli_args *args,
                       struct payload_places places);
void payload_check_release(struct payload_check *check);

/* Why a payload fails the check. */
struct payload_reason {
	char text[800];
};

/* Whether a payload passes the check; if not, stores why. */
bool payload_check_frame(const struct payload_check *check,
                         const struct shmlog_frame *frame,
                         struct payload_reason *reason_out);

#endif
