/* Decodes a stream of server-sent events (text/event-stream), however it is cut
 * into pieces. */
#ifndef DISPATCH_SSE_H
#define DISPATCH_SSE_H

#include "bytes.h"
#include "json_scan.h"

#include <stdbool.h>
#include <stddef.h>

/* All zeros is a decoder at the start of a stream. */
struct sse {
	struct bytes line; /* as far as it has come */
	struct bytes name;
	struct bytes data;
	bool has_data;
	bool began;    /* the first line is over */
	bool after_cr; /* a line feed belongs to the line before */
};

/* What takes the events.  Returning false ends the decoding. */
struct sse_sink {
	bool (*event)(void *context, struct cli_json_span name,
	              struct cli_json_span data);
	void *context;
};

/*
 * Decodes the next piece.  An event is handed out at the blank line behind it,
 * and only if it has a name and data; one that the stream ends within is never
 * handed out.  False if the sink has returned false, an event is larger than 32
 * MiB, or memory is short; the decoder is of no use then.
 */
bool sse_feed(struct sse *sse, const char *bytes, size_t size_bytes,
              const struct sse_sink *sink);

void sse_clear(struct sse *sse);
void sse_free(struct sse *sse);

#endif
