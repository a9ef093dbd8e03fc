/*
 * The JSON that a frame holds, for what looks into it by a path: its payload,
 * or its value where frames have a type.
 */
#ifndef CLI_DOCUMENT_H
#define CLI_DOCUMENT_H

#include "stdout_buffer.h"
#include "typed.h"
#include "value.h"

#include <shmlog.h>
#include <stdbool.h>

struct cli_document {
	const struct cli_typed *typed;
	struct cli_output value; /* of a frame that has a type */
	bool has_value;          /* the buffer of it is there */
	unsigned char *copy;     /* of a payload, which a writer may change */
};

/* `typed` must stay.  CLI_OK, or CLI_SYSTEM after a message; to be released in
 * either case. */
int cli_document_init(struct cli_document *document,
                      const struct cli_typed *typed);
void cli_document_release(struct cli_document *document);

/* Reads a frame; the value is good until the next call.  False, with the
 * reason, if the frame holds no JSON or does not fit its type. */
bool cli_document_read(struct cli_document *document,
                       const struct shmlog_frame *frame,
                       struct cli_value *value_out,
                       struct cli_bendec_error *error_out);

/* Whether memory was too short for the last value. */
bool cli_document_is_short(const struct cli_document *document);

#endif
