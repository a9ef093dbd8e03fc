/* Reading envelopes: one line of JSON for one frame. */
#ifndef CLI_IN_ENVELOPE_H
#define CLI_IN_ENVELOPE_H

#include "json_check.h"

#include <stdbool.h>
#include <stddef.h>

/* One envelope line, taken apart. */
struct cli_envelope {
	bool is_event;          /* an event of the log, not a frame */
	unsigned char *payload; /* in the caller's buffer */
	size_t size_bytes;      /* of the payload */
};

/*
 * Parses an envelope: "payload" (a string) and "encoding" ("utf8", which is the
 * default, or "base64"); "size", if present, must agree; other members are
 * ignored; a line with "event" is no frame.  `buffer` must have room for
 * `size_bytes` bytes of payload.  False, with a reason, for anything else.
 */
bool cli_envelope_parse(const char *text, size_t size_bytes,
                        unsigned char *buffer,
                        struct cli_envelope *envelope_out,
                        struct cli_json_error *error_out);

#endif
