/* What verify knows of payloads where it is told what they are: JSON, UTF-8,
 * or values of a type. */
#ifndef PAYLOAD_CHECK_H
#define PAYLOAD_CHECK_H

#include "options.h"
#include "typed.h"

#include <shmlog.h>
#include <stdbool.h>

/* What each payload is to be. */
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

/* Reads the options.  CLI_OK, or an exit status after a message; what was made
 * is released in either case. */
int payload_check_init(struct payload_check *check, const struct cli_args *args,
                       struct payload_places places);
void payload_check_release(struct payload_check *check);

/* Why a payload is not what it is to be. */
struct payload_reason {
	char text[800];
};

/* Whether a payload is what it is to be; why not, if it is not. */
bool payload_check_frame(const struct payload_check *check,
                         const struct shmlog_frame *frame,
                         struct payload_reason *reason_out);

#endif
