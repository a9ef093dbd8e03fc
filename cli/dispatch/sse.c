/* Decodes server-sent events: lines end in LF, CR LF or CR. */
#include "sse.h"

#include <string.h>

#define MOST_BYTES ((size_t)32 << 20)

/* The length of the line at the start of the bytes, without its end; all of
 * them if it does not end there. */
static size_t line_length(const char *bytes, size_t size_bytes)
{
	const char *lf = memchr(bytes, '\n', size_bytes);
	size_t length = lf != NULL ? (size_t)(lf - bytes) : size_bytes;
	const char *cr = memchr(bytes, '\r', length);

	return cr != NULL ? (size_t)(cr - bytes) : length;
}

static struct cli_json_span span_of(const struct bytes *bytes)
{
	return (struct cli_json_span){(const unsigned char *)bytes->at,
	                              bytes->used};
}

/* The blank line behind an event. */
static bool end_event(struct sse *sse, const struct sse_sink *sink)
{
	bool goes_on = true;

	if (sse->name.used > 0 && sse->data.used > 0)
		goes_on = sink->event(sink->context, span_of(&sse->name),
		                      span_of(&sse->data));
	bytes_clear(&sse->name);
	bytes_clear(&sse->data);
	sse->has_data = false;
	return goes_on;
}

static bool is_field(const char *line, size_t name_bytes, const char *name)
{
	return name_bytes == strlen(name) &&
	       memcmp(line, name, name_bytes) == 0;
}

static void take_field(struct sse *sse, const char *line, size_t size_bytes)
{
	const char *colon = memchr(line, ':', size_bytes);
	size_t name_bytes = colon != NULL ? (size_t)(colon - line) : size_bytes;
	size_t value_at = colon != NULL ? name_bytes + 1 : size_bytes;

	if (value_at < size_bytes && line[value_at] == ' ')
		value_at++;
	if (is_field(line, name_bytes, "event")) {
		bytes_clear(&sse->name);
		bytes_add(&sse->name, line + value_at, size_bytes - value_at);
	} else if (is_field(line, name_bytes, "data")) {
		if (sse->has_data)
			bytes_string(&sse->data, "\n");
		sse->has_data = true;
		bytes_add(&sse->data, line + value_at, size_bytes - value_at);
	}
}

/* One line, which is whole. */
static bool take_line(struct sse *sse, const char *line, size_t size_bytes,
                      const struct sse_sink *sink)
{
	/* A byte-order mark before everything means nothing. */
	if (!sse->began && size_bytes >= 3 &&
	    memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		size_bytes -= 3;
	}
	sse->began = true;
	if (size_bytes == 0)
		return end_event(sse, sink);
	if (line[0] != ':')
		take_field(sse, line, size_bytes);
	return !sse->name.failed && !sse->data.failed &&
	       sse->data.used <= MOST_BYTES && sse->name.used <= MOST_BYTES;
}

/* A line of which the beginning came in an earlier piece, perhaps. */
static bool end_line(struct sse *sse, const char *bytes, size_t size_bytes,
                     const struct sse_sink *sink)
{
	bool goes_on;

	if (sse->line.used == 0)
		return take_line(sse, bytes, size_bytes, sink);
	bytes_add(&sse->line, bytes, size_bytes);
	goes_on = !sse->line.failed &&
	          take_line(sse, sse->line.at, sse->line.used, sink);
	bytes_clear(&sse->line);
	return goes_on;
}

bool sse_feed(struct sse *sse, const char *bytes, size_t size_bytes,
              const struct sse_sink *sink)
{
	while (size_bytes > 0) {
		size_t length;

		if (sse->after_cr) {
			sse->after_cr = false;
			if (*bytes == '\n') {
				bytes++;
				size_bytes--;
				continue;
			}
		}
		length = line_length(bytes, size_bytes);
		if (length == size_bytes) {
			bytes_add(&sse->line, bytes, length);
			return !sse->line.failed &&
			       sse->line.used <= MOST_BYTES;
		}
		if (!end_line(sse, bytes, length, sink))
			return false;
		sse->after_cr = bytes[length] == '\r';
		bytes += length + 1;
		size_bytes -= length + 1;
	}
	return true;
}

void sse_clear(struct sse *sse)
{
	bytes_clear(&sse->line);
	bytes_clear(&sse->name);
	bytes_clear(&sse->data);
	sse->has_data = sse->began = sse->after_cr = false;
}

void sse_free(struct sse *sse)
{
	bytes_free(&sse->line);
	bytes_free(&sse->name);
	bytes_free(&sse->data);
}
