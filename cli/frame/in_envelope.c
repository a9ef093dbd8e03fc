/*
 * Reads lines that are envelopes.  They are parsed in place, as cJSON's tree
 * has doubles for numbers and ends a string at a NUL; see json_scan.h.
 */
#include "in_envelope.h"

#include "base64.h"
#include "in_formats.h"
#include "json_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The members of an envelope that are used; `bytes` is NULL for a missing one.
 * The last one of a repeated member counts, as with JSON.parse. */
struct envelope_members {
	struct cli_json_span payload;
	struct cli_json_span encoding;
	struct cli_json_span size;
	struct cli_json_span event;
};

static void find_members(struct cli_json_scan *scan,
                         struct envelope_members *found)
{
	struct cli_json_member member;

	memset(found, 0, sizeof(*found));
	while (cli_json_take_member(scan, &member)) {
		if (cli_json_string_is(member.name, "payload"))
			found->payload = member.value;
		else if (cli_json_string_is(member.name, "encoding"))
			found->encoding = member.value;
		else if (cli_json_string_is(member.name, "size"))
			found->size = member.value;
		else if (cli_json_string_is(member.name, "event"))
			found->event = member.value;
	}
}

/* Whether the payload is in base64; false if the encoding is unknown. */
static bool read_encoding(const unsigned char *text,
                          struct cli_json_span encoding, bool *base64_out,
                          struct cli_json_error *error)
{
	*base64_out = false;
	if (encoding.bytes == NULL)
		return true;
	if (cli_json_is_string(encoding)) {
		*base64_out = cli_json_string_is(cli_json_inside(encoding),
		                                 "base64");
		if (*base64_out ||
		    cli_json_string_is(cli_json_inside(encoding), "utf8"))
			return true;
	}
	return cli_json_refuse(error, (size_t)(encoding.bytes - text),
	                       "\"encoding\" must be \"utf8\" or \"base64\"");
}

/* The bytes of the payload, into the caller's buffer. */
static bool read_payload(const unsigned char *text,
                         struct cli_json_span payload, bool base64,
                         unsigned char *buffer, size_t *size_out,
                         struct cli_json_error *error)
{
	size_t start;

	if (payload.bytes == NULL)
		return cli_json_refuse(error, 0,
		                       "the object has no \"payload\"");
	start = (size_t)(payload.bytes - text);
	if (!cli_json_is_string(payload))
		return cli_json_refuse(error, start,
		                       "\"payload\" must be a string");
	if (!cli_json_unescape(buffer, cli_json_inside(payload), size_out))
		return cli_json_refuse(
			error, start + 1 + *size_out,
			"\"payload\" has half a surrogate pair, which "
			"no UTF-8 can hold; use the encoding \"base64\"");
	if (base64 && !cli_base64_decode(buffer, size_out, (const char *)buffer,
	                                 *size_out))
		return cli_json_refuse(error, start,
		                       "\"payload\" is no valid base64");
	return true;
}

static bool check_size(const unsigned char *text, struct cli_json_span size,
                       size_t payload_bytes, struct cli_json_error *error)
{
	uint64_t value;

	if (size.bytes == NULL)
		return true;
	if (!cli_json_span_u64(size, &value))
		return cli_json_refuse(
			error, (size_t)(size.bytes - text),
			"\"size\" must be a count of bytes in digits");
	if (value == payload_bytes)
		return true;
	return cli_json_refuse(error, (size_t)(size.bytes - text),
	                       "\"size\" is %" PRIu64
	                       ", but the payload has %zu bytes",
	                       value, payload_bytes);
}

bool cli_envelope_parse(const char *text, size_t size_bytes,
                        unsigned char *buffer,
                        struct cli_envelope *envelope_out,
                        struct cli_json_error *error_out)
{
	const unsigned char *bytes = (const unsigned char *)text;
	struct envelope_members found;
	struct cli_json_scan scan;
	size_t payload_bytes;
	bool base64;

	if (!cli_json_check(text, size_bytes, error_out))
		return false;
	if (!cli_json_begin_object(&scan, text, size_bytes))
		return cli_json_refuse(error_out, (size_t)(scan.at - bytes),
		                       "an envelope must be an object");
	find_members(&scan, &found);
	if (found.event.bytes != NULL) {
		*envelope_out = (struct cli_envelope){.is_event = true};
		return true;
	}
	if (!read_encoding(bytes, found.encoding, &base64, error_out) ||
	    !read_payload(bytes, found.payload, base64, buffer, &payload_bytes,
	                  error_out) ||
	    !check_size(bytes, found.size, payload_bytes, error_out))
		return false;
	*envelope_out = (struct cli_envelope){.payload = buffer,
	                                      .size_bytes = payload_bytes};
	return true;
}

enum cli_convert cli_in_envelope_convert(const struct cli_record *record,
                                         unsigned char *scratch,
                                         struct cli_payload *payload_out)
{
	struct cli_json_error error;
	struct cli_envelope envelope = {.is_event = false};

	if (cli_in_is_blank(record))
		return CLI_CONVERT_NOTHING;
	if (!cli_envelope_parse((const char *)record->bytes, record->size_bytes,
	                        scratch, &envelope, &error)) {
		(void)snprintf(payload_out->reason, sizeof(payload_out->reason),
		               "no envelope: %s at byte %zu", error.reason,
		               error.offset + 1);
		return CLI_CONVERT_INVALID;
	}
	if (envelope.is_event)
		return CLI_CONVERT_NOTHING;
	payload_out->bytes = envelope.payload;
	payload_out->size_bytes = envelope.size_bytes;
	return CLI_CONVERT_PAYLOAD;
}
