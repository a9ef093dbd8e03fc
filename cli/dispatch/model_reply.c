/* Puts the messages of a model together. */
#include "model_reply.h"

#include "json_check.h"

#include <string.h>

/* ------------------------------------------------------------------- values */

/* The value of a member of an object; size 0 if there is none. */
static struct cli_json_span find(struct cli_json_span object, const char *name)
{
	struct cli_json_span value = {NULL, 0};
	struct cli_json_member member;
	struct cli_json_scan scan;

	if (object.size_bytes == 0 ||
	    !cli_json_begin_object(&scan, (const char *)object.bytes,
	                           object.size_bytes))
		return value;
	while (cli_json_take_member(&scan, &member)) {
		if (cli_json_string_is(member.name, name))
			value = member.value;
	}
	return value;
}

/* The inside of a member that is a string. */
static struct cli_json_span find_string(struct cli_json_span object,
                                        const char *name)
{
	struct cli_json_span value = find(object, name);

	if (value.size_bytes > 0 && cli_json_is_string(value))
		return cli_json_inside(value);
	return (struct cli_json_span){NULL, 0};
}

static bool is(struct cli_json_span text, const char *word)
{
	return text.size_bytes == strlen(word) &&
	       memcmp(text.bytes, word, text.size_bytes) == 0;
}

/* Names are words of the interface: what is not like them is left out. */
static void copy_name(char *to, size_t room, struct cli_json_span from)
{
	size_t used = 0;

	for (size_t i = 0; i < from.size_bytes && used + 1 < room; i++) {
		unsigned char byte = from.bytes[i];

		if ((byte >= 'a' && byte <= 'z') || byte == '_' ||
		    (byte >= 'A' && byte <= 'Z') ||
		    (byte >= '0' && byte <= '9'))
			to[used++] = (char)byte;
	}
	to[used] = '\0';
}

static struct cli_json_span name_of(const char *name)
{
	return (struct cli_json_span){(const unsigned char *)name,
	                              strlen(name)};
}

static struct cli_json_span span_of(const struct bytes *bytes)
{
	return (struct cli_json_span){(const unsigned char *)bytes->at,
	                              bytes->used};
}

/* ------------------------------------------------------------------- errors */

static void take_error(struct model_reply *reply, struct cli_json_span object)
{
	struct cli_json_span error = find(object, "error");
	struct cli_json_span text = find_string(error, "message");
	struct cli_json_span id = find(object, "request_id");

	reply->failed = true;
	copy_name(reply->error_type, sizeof(reply->error_type),
	          find_string(error, "type"));
	copy_name(reply->error_code, sizeof(reply->error_code),
	          find_string(find(error, "details"), "error_code"));
	bytes_clear(&reply->error_text);
	bytes_add(&reply->error_text, text.bytes, text.size_bytes);
	if (id.size_bytes > 0 && cli_json_is_string(id)) {
		bytes_clear(&reply->request_id);
		bytes_add(&reply->request_id, id.bytes, id.size_bytes);
	}
}

/* ------------------------------------------------------------------- blocks */

static bool is_thinking(struct cli_json_span type)
{
	return is(type, "thinking") || is(type, "redacted_thinking");
}

static void keep_block(struct model_reply *reply, struct cli_json_span block)
{
	if (reply->content.used > 0)
		bytes_string(&reply->content, ",");
	bytes_add(&reply->content, block.bytes, block.size_bytes);
}

/* Adds a text as it came.  False if it is none. */
static bool add_text(struct bytes *to, struct cli_json_span text)
{
	if (text.size_bytes == 0 || !cli_json_is_string(text))
		return false;
	text = cli_json_inside(text);
	bytes_add(to, text.bytes, text.size_bytes);
	return true;
}

/* One block of a body. */
static bool take_block(struct model_reply *reply, struct cli_json_span block)
{
	struct cli_json_span type = find_string(block, "type");

	if (is(type, "text"))
		return add_text(&reply->text, find(block, "text"));
	if (!is_thinking(type))
		keep_block(reply, block);
	return true;
}

static bool begin_block(struct model_reply *reply, struct cli_json_span event)
{
	struct cli_json_span block = find(event, "content_block");
	struct cli_json_span type = find_string(block, "type");

	bytes_clear(&reply->block);
	bytes_clear(&reply->block_input);
	if (is(type, "text"))
		return take_block(reply, block);
	if (type.size_bytes > 0 && !is_thinking(type))
		bytes_add(&reply->block, block.bytes, block.size_bytes);
	return true;
}

static bool add_delta(struct model_reply *reply, struct cli_json_span event)
{
	struct cli_json_span delta = find(event, "delta");
	struct cli_json_span type = find_string(delta, "type");

	if (is(type, "text_delta"))
		return add_text(&reply->text, find(delta, "text"));
	if (is(type, "input_json_delta"))
		return add_text(&reply->block_input,
		                find(delta, "partial_json"));
	return true;
}

/* The input of a block is JSON inside of strings.  What is no JSON, as a reply
 * that was cut at its most tokens may leave, is kept as it came, by another
 * name; false then. */
static bool set_input(const struct model_reply *reply, struct members *members)
{
	const struct bytes *raw = &reply->block_input;
	struct cli_json_span inside = {(const unsigned char *)raw->at,
	                               raw->used};
	struct bytes input = {0}, string = {0};
	char *room = bytes_reserve(&input, raw->used + 8);
	struct cli_json_error error;
	bool is_json;

	if (raw->used == 0) {
		bytes_free(&input);
		return true;
	}
	is_json = room != NULL &&
	          cli_json_unescape((unsigned char *)room, inside,
	                            &input.used) &&
	          cli_json_check(room, input.used, &error);
	if (is_json) {
		members_set(members, name_of("input"), span_of(&input));
	} else {
		bytes_string(&string, "\"");
		bytes_add(&string, raw->at, raw->used);
		bytes_string(&string, "\"");
		members_set(members, name_of("partial_json"), span_of(&string));
	}
	members->failed |= input.failed || string.failed;
	bytes_free(&string);
	bytes_free(&input);
	return is_json;
}

/* A block that is no text is kept, with the input that came for it. */
static void end_block(struct model_reply *reply)
{
	struct members members = {0};
	struct bytes *block = &reply->block, whole = {0};
	bool has_input;

	if (block->used == 0)
		return;
	(void)members_merge(&members, span_of(block), false);
	has_input = set_input(reply, &members);
	bytes_string(&whole, "{");
	members_print(&members, has_input ? NULL : "input", &whole);
	bytes_string(&whole, "}");
	keep_block(reply, span_of(&whole));
	reply->content.failed |= whole.failed;
	members_free(&members);
	bytes_free(&whole);
	bytes_clear(block);
}

/* -------------------------------------------------------------------- whole */

static bool is_kept(struct cli_json_span name)
{
	static const char *const kept[] = {"id", "model", "stop_reason",
	                                   "stop_sequence", "stop_details"};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (is(name, kept[i]))
			return true;
	}
	return false;
}

static void take_head(struct model_reply *reply, struct cli_json_span object)
{
	struct cli_json_member member;
	struct cli_json_scan scan;

	if (object.size_bytes == 0 ||
	    !cli_json_begin_object(&scan, (const char *)object.bytes,
	                           object.size_bytes))
		return;
	/* One that is null says nothing new. */
	while (cli_json_take_member(&scan, &member)) {
		if (member.value.bytes[0] == 'n')
			continue;
		if (is_kept(member.name))
			members_set(&reply->members, member.name, member.value);
		else if (is(member.name, "usage"))
			(void)members_merge(&reply->usage, member.value, true);
	}
}

static bool take_content(struct model_reply *reply,
                         struct cli_json_span content)
{
	struct cli_json_scan scan;
	bool is_good = true;

	cli_json_begin(&scan, (const char *)content.bytes, content.size_bytes);
	cli_json_enter(&scan);
	while (is_good && cli_json_next_element(&scan))
		is_good = take_block(reply, cli_json_take_value(&scan));
	return is_good;
}

bool model_reply_take_body(struct model_reply *reply, struct cli_json_span body)
{
	struct cli_json_error error;
	struct cli_json_span content;

	if (!cli_json_check((const char *)body.bytes, body.size_bytes, &error))
		return false;
	if (is(find_string(body, "type"), "error")) {
		take_error(reply, body);
		return true;
	}
	content = find(body, "content");
	if (content.size_bytes == 0 || content.bytes[0] != '[')
		return false;
	take_head(reply, body);
	if (!take_content(reply, content))
		return false;
	reply->started = reply->stopped = true;
	return true;
}

/* ------------------------------------------------------------------- events */

static bool take_start(struct model_reply *reply, struct cli_json_span event)
{
	struct cli_json_span whole = find(event, "message");

	if (reply->started || whole.size_bytes == 0)
		return false;
	reply->started = true;
	take_head(reply, whole);
	return true;
}

/* The counts of tokens are those of the whole message so far. */
static void take_message_delta(struct model_reply *reply,
                               struct cli_json_span event)
{
	struct cli_json_span usage = find(event, "usage");

	take_head(reply, find(event, "delta"));
	if (usage.size_bytes > 0)
		(void)members_merge(&reply->usage, usage, true);
}

/* What other events say is nobody's to read, JSON or not. */
static bool is_known(struct cli_json_span name)
{
	static const char *const known[] = {
		"message_start",       "message_delta",
		"message_stop",        "error",
		"content_block_start", "content_block_delta",
		"content_block_stop"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (is(name, known[i]))
			return true;
	}
	return false;
}

bool model_reply_take_event(struct model_reply *reply,
                            struct cli_json_span name,
                            struct cli_json_span data)
{
	struct cli_json_span type;
	struct cli_json_error error;

	if (!is_known(name))
		return true;
	if (!cli_json_check((const char *)data.bytes, data.size_bytes, &error))
		return false;
	type = find_string(data, "type");
	if (reply->stopped || reply->failed)
		return true;
	if (is(type, "message_start"))
		return take_start(reply, data);
	if (is(type, "content_block_start"))
		return begin_block(reply, data);
	if (is(type, "content_block_delta"))
		return add_delta(reply, data);
	if (is(type, "content_block_stop"))
		end_block(reply);
	else if (is(type, "message_delta"))
		take_message_delta(reply, data);
	else if (is(type, "message_stop"))
		reply->stopped = reply->started;
	else if (is(type, "error"))
		take_error(reply, data);
	return reply->stopped || !is(type, "message_stop");
}

/* ------------------------------------------------------------------ results */

static void add_value(struct bytes *out, const char *name,
                      const struct bytes *value)
{
	if (value->used == 0)
		return;
	bytes_string(out, out->used > 0 ? ",\"" : "\"");
	bytes_string(out, name);
	bytes_string(out, "\":");
	bytes_add(out, value->at, value->used);
}

void model_reply_print(const struct model_reply *reply, struct bytes *out)
{
	struct bytes usage = {0};

	members_print(&reply->members, NULL, out);
	bytes_string(&usage, "{");
	members_print(&reply->usage, NULL, &usage);
	bytes_string(&usage, "}");
	add_value(out, "usage", &usage);
	if (reply->content.used > 0) {
		bytes_string(out, ",\"content\":[");
		bytes_add(out, reply->content.at, reply->content.used);
		bytes_string(out, "]");
	}
	add_value(out, "request_id", &reply->request_id);
	out->failed |= usage.failed || reply->content.failed ||
	               reply->members.failed;
	bytes_free(&usage);
}

static uint64_t count(const struct model_reply *reply, const char *name)
{
	const struct bytes *value = members_find(&reply->usage, name);
	uint64_t number = 0;

	if (value != NULL)
		(void)cli_json_span_u64(
			(struct cli_json_span){(const unsigned char *)value->at,
		                               value->used},
			&number);
	/* A server that lies must not make the sum wrap. */
	return number < (UINT64_C(1) << 40) ? number : 0;
}

uint64_t model_reply_input_tokens(const struct model_reply *reply)
{
	return count(reply, "input_tokens") +
	       count(reply, "cache_creation_input_tokens") +
	       count(reply, "cache_read_input_tokens");
}

uint64_t model_reply_output_tokens(const struct model_reply *reply)
{
	return count(reply, "output_tokens");
}

void model_reply_clear(struct model_reply *reply)
{
	members_free(&reply->members);
	members_free(&reply->usage);
	bytes_clear(&reply->error_text);
	bytes_clear(&reply->request_id);
	bytes_clear(&reply->text);
	bytes_clear(&reply->content);
	bytes_clear(&reply->block);
	bytes_clear(&reply->block_input);
	reply->started = reply->stopped = reply->failed = false;
	reply->error_type[0] = reply->error_code[0] = '\0';
}

void model_reply_free(struct model_reply *reply)
{
	model_reply_clear(reply);
	bytes_free(&reply->error_text);
	bytes_free(&reply->request_id);
	bytes_free(&reply->text);
	bytes_free(&reply->content);
	bytes_free(&reply->block);
	bytes_free(&reply->block_input);
}
