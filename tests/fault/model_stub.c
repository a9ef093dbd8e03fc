/*
 * A server that answers as the Messages interface does, with every fault of a
 * server on demand: model_stub [--key KEY] [--calls FILE] [--tls CERT KEY]
 * [--chaos PERCENT] [--delay US] [--port N] [--bodies FILE]
 *
 * It prints the port that it listens on, at 127.0.0.1, and runs until its input
 * ends.  The reply's text is "echo:" and the text of the last message.  Words of
 * that text that begin with @ ask for faults, such as @status=529; the first
 * @times=N (1) calls for one text meet them.  --calls appends the text of each
 * call to FILE, a line each, and --bodies its body.  With --chaos that part of the calls meets a fault
 * by chance, one that passes.
 */
#include "json_check.h"
#include "json_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef STUB_TLS
#include <openssl/ssl.h>
#endif

#define HEAD_BYTES 16384u
#define OUT_BYTES ((size_t)1 << 18)

/* ------------------------------------------------------------------ settings */

static const char *wanted_key = "test-key";
static int calls_fd = -1, bodies_fd = -1;
static unsigned chaos_percent;
static long base_delay_us;
#ifdef STUB_TLS
static SSL_CTX *tls;
#endif

/* How often each text was asked: by its hash. */
#define SLOTS ((size_t)1 << 21)
static struct {
	uint64_t hash;
	unsigned calls;
} * slots;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t chance = 88172645463325252u;

static unsigned count_call(struct cli_json_span text)
{
	uint64_t hash = 14695981039346656037u;
	unsigned calls;

	for (size_t i = 0; i < text.size_bytes; i++)
		hash = (hash ^ text.bytes[i]) * 1099511628211u;
	pthread_mutex_lock(&mutex);
	size_t slot = (size_t)hash % SLOTS;

	while (slots[slot].calls > 0 && slots[slot].hash != hash)
		slot = (slot + 1) % SLOTS;
	slots[slot].hash = hash;
	calls = ++slots[slot].calls;
	pthread_mutex_unlock(&mutex);
	return calls;
}

static unsigned by_chance(unsigned below)
{
	uint64_t value;

	pthread_mutex_lock(&mutex);
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	value = chance;
	pthread_mutex_unlock(&mutex);
	return (unsigned)(value >> 33) % below;
}

static void pause_us(long us)
{
	struct timespec span = {us / 1000000, us % 1000000 * 1000};

	if (us > 0)
		nanosleep(&span, NULL);
}

/* -------------------------------------------------------------------- faults */

struct fault {
	long status, stream_error, cut, stall_ms, pings, delay_ms, drip_ms;
	bool rst, split, odd, thinking, big, bad_utf8, lone, nul, pair, gzip,
		html, no_stop, tool, limited, garbage, redirect, no_json,
		bad_http;
	const char *line_end;
	char stop[40], after[64], after_ms[32], advice[8], code[64];
};

static bool take_word(const char *word, const char *name, const char **value)
{
	size_t length = strlen(name);

	*value = word + length + 1;
	return strncmp(word, name, length) == 0 &&
	       (word[length] == '=' || word[length] == '\0');
}

static void set_text(char *to, size_t room, const char *value)
{
	(void)snprintf(to, room, "%s", value);
	for (; *to != '\0'; to++)
		*to = *to == '_' ? ' ' : *to;
}

static void take_number_word(struct fault *fault, const char *word)
{
	const char *value;

	if (take_word(word, "status", &value))
		fault->status = atol(value);
	else if (take_word(word, "stream-error", &value))
		fault->stream_error = atol(value) + 1;
	else if (take_word(word, "close", &value))
		fault->cut = atol(value) + 1;
	else if (take_word(word, "rst", &value)) {
		fault->cut = atol(value) + 1;
		fault->rst = true;
	} else if (take_word(word, "stall", &value))
		fault->stall_ms = atol(value);
	else if (take_word(word, "pings", &value))
		fault->pings = atol(value);
	else if (take_word(word, "delay", &value))
		fault->delay_ms = atol(value);
	else if (take_word(word, "drip", &value))
		fault->drip_ms = atol(value);
	else if (take_word(word, "stop", &value))
		(void)snprintf(fault->stop, sizeof(fault->stop), "%s", value);
	else if (take_word(word, "after", &value))
		set_text(fault->after, sizeof(fault->after), value);
	else if (take_word(word, "after-ms", &value))
		set_text(fault->after_ms, sizeof(fault->after_ms), value);
	else if (take_word(word, "advice", &value))
		set_text(fault->advice, sizeof(fault->advice), value);
	else if (take_word(word, "code", &value))
		(void)snprintf(fault->code, sizeof(fault->code), "%s", value);
}

static void take_fault(struct fault *fault, const char *word)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{"split", &fault->split},       {"odd", &fault->odd},
		{"thinking", &fault->thinking}, {"big", &fault->big},
		{"bad-utf8", &fault->bad_utf8}, {"lone", &fault->lone},
		{"nul", &fault->nul},           {"pair", &fault->pair},
		{"gzip", &fault->gzip},         {"html", &fault->html},
		{"no-stop", &fault->no_stop},   {"tool", &fault->tool},
		{"limited", &fault->limited},   {"garbage", &fault->garbage},
		{"redirect", &fault->redirect}, {"no-json", &fault->no_json},
		{"bad-http", &fault->bad_http},
	};

	if (strcmp(word, "crlf") == 0)
		fault->line_end = "\r\n";
	else if (strcmp(word, "cr") == 0)
		fault->line_end = "\r";
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(word, flags[i].name) == 0)
			*flags[i].flag = true;
	}
	take_number_word(fault, word);
}

/* The faults that a text asks for, and how often. */
static void read_faults(struct fault *fault, struct cli_json_span text,
                        unsigned calls)
{
	char words[1024], *rest = NULL;
	unsigned times = 1;
	size_t length = text.size_bytes < sizeof(words) - 1 ? text.size_bytes
	                                                    : sizeof(words) - 1;

	*fault = (struct fault){.line_end = "\n"};
	memcpy(words, text.bytes, length);
	words[length] = '\0';
	for (char *word = strtok_r(words, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		const char *value;

		if (word[0] != '@')
			continue;
		if (take_word(word + 1, "times", &value))
			times = (unsigned)atoi(value);
		take_fault(fault, word + 1);
	}
	if (calls > times)
		*fault = (struct fault){.line_end = "\n"};
}

/* One that passes when the call is made again, or does no harm. */
static void choose_fault(struct fault *fault)
{
	static const char *const faults[] = {
		"status=529",
		"status=500",
		"status=429",
		"status=408",
		"stream-error=1",
		"close=0",
		"close=90",
		"close=400",
		"rst=0",
		"rst=200",
		"split",
		"crlf",
		"cr",
		"odd",
		"thinking",
		"gzip",
		"html",
		"no-stop",
		"garbage",
		"delay=5",
		"drip=2",
		"bad-utf8",
		"stall=30",
		"no-json",
		"bad-http",
	};

	if (chaos_percent == 0 || by_chance(100) >= chaos_percent)
		return;
	take_fault(fault,
	           faults[by_chance(sizeof(faults) / sizeof(faults[0]))]);
	if (fault->html)
		fault->status = 502;
	(void)snprintf(fault->after_ms, sizeof(fault->after_ms), "5");
}

/* --------------------------------------------------------------- connections */

struct peer {
	int fd;
#ifdef STUB_TLS
	SSL *ssl;
#endif
	char in[HEAD_BYTES];
	size_t in_used;
	char *body;
	size_t body_bytes;
	char *out;
	size_t out_used;
	long left; /* bytes of body before the connection is cut; 0: all */
	bool split, broken, rst;
};

static ssize_t get(struct peer *peer, char *bytes, size_t size_bytes)
{
#ifdef STUB_TLS
	if (peer->ssl != NULL)
		return SSL_read(peer->ssl, bytes, (int)size_bytes);
#endif
	return read(peer->fd, bytes, size_bytes);
}

static void put(struct peer *peer, const char *bytes, size_t size_bytes)
{
	while (size_bytes > 0 && !peer->broken) {
		size_t piece = peer->split ? 1 : size_bytes;
		ssize_t done;

#ifdef STUB_TLS
		if (peer->ssl != NULL)
			done = SSL_write(peer->ssl, bytes, (int)piece);
		else
#endif
			done = send(peer->fd, bytes, piece, MSG_NOSIGNAL);
		if (done <= 0) {
			peer->broken = true;
			return;
		}
		bytes += done;
		size_bytes -= (size_t)done;
	}
}

static void flush_out(struct peer *peer)
{
	put(peer, peer->out, peer->out_used);
	peer->out_used = 0;
}

static void add(struct peer *peer, const void *bytes, size_t size_bytes)
{
	if (peer->out_used + size_bytes > OUT_BYTES)
		flush_out(peer);
	if (size_bytes > OUT_BYTES) {
		put(peer, bytes, size_bytes);
		return;
	}
	memcpy(peer->out + peer->out_used, bytes, size_bytes);
	peer->out_used += size_bytes;
}

static void add_text(struct peer *peer, const char *text)
{
	add(peer, text, strlen(text));
}

/* Ends the connection in the middle of a body, where a fault wants that. */
static size_t limit(struct peer *peer, size_t size_bytes)
{
	if (peer->left == 0)
		return size_bytes;
	if ((long)size_bytes < peer->left) {
		peer->left -= (long)size_bytes;
		return size_bytes;
	}
	size_bytes = (size_t)peer->left - 1;
	return size_bytes;
}

static void add_chunk(struct peer *peer, const char *bytes, size_t size_bytes)
{
	char head[32];
	size_t most = limit(peer, size_bytes);

	if (peer->broken)
		return;
	(void)snprintf(head, sizeof(head), "%zx\r\n", size_bytes);
	add_text(peer, head);
	add(peer, bytes, most);
	if (most == size_bytes) {
		add_text(peer, "\r\n");
		return;
	}
	flush_out(peer);
	peer->broken = true;
}

/* ------------------------------------------------------------------- replies */

struct call {
	struct peer *peer;
	struct fault fault;
	struct cli_json_span text; /* of the last message, as in JSON */
	struct cli_json_span model;
	bool stream;
	const char *id;
};

static void add_head(struct call *call, const char *status, const char *type,
                     const char *more)
{
	struct peer *peer = call->peer;
	char head[512];

	(void)snprintf(head, sizeof(head),
	               "HTTP/1.1 %s\r\nContent-Type: %s\r\nrequest-id: "
	               "req_%s\r\n%s",
	               status, type, call->id, more);
	add_text(peer, head);
	if (call->fault.limited) {
		time_t reset = time(NULL) + 1;
		struct tm parts;

		gmtime_r(&reset, &parts);
		(void)strftime(head, sizeof(head),
		               "anthropic-ratelimit-requests-remaining: 0\r\n"
		               "anthropic-ratelimit-requests-reset: "
		               "%Y-%m-%dT%H:%M:%SZ\r\n",
		               &parts);
		add_text(peer, head);
	}
	if (call->fault.after[0] != '\0') {
		(void)snprintf(head, sizeof(head), "retry-after: %s\r\n",
		               call->fault.after);
		add_text(peer, head);
	}
	if (call->fault.after_ms[0] != '\0') {
		(void)snprintf(head, sizeof(head), "retry-after-ms: %s\r\n",
		               call->fault.after_ms);
		add_text(peer, head);
	}
	if (call->fault.advice[0] != '\0') {
		(void)snprintf(head, sizeof(head), "x-should-retry: %s\r\n",
		               call->fault.advice);
		add_text(peer, head);
	}
}

static uint32_t crc32_of(const char *bytes, size_t size_bytes)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < size_bytes; i++) {
		crc ^= (unsigned char)bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
	}
	return ~crc;
}

/* Puts bytes, under 64 KiB of them, into a gzip file without compression. */
static size_t wrap_gzip(char *to, const char *bytes, size_t size_bytes)
{
	static const char head[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03\x01";
	uint32_t crc = crc32_of(bytes, size_bytes);
	uint32_t size = (uint32_t)size_bytes;
	size_t used = 11;

	memcpy(to, head, used);
	for (int i = 0; i < 2; i++)
		to[used++] = (char)(size >> 8 * i);
	for (int i = 0; i < 2; i++)
		to[used++] = (char)(~size >> 8 * i);
	memcpy(to + used, bytes, size_bytes);
	used += size_bytes;
	for (int i = 0; i < 4; i++)
		to[used++] = (char)(crc >> 8 * i);
	for (int i = 0; i < 4; i++)
		to[used++] = (char)(size >> 8 * i);
	return used;
}

static void add_body(struct call *call, const char *status, const char *type,
                     const char *body, size_t size_bytes)
{
	struct peer *peer = call->peer;
	bool gzip = call->fault.gzip && size_bytes < 60000;
	char length[96], *wrapped = NULL;

	if (gzip) {
		wrapped = malloc(size_bytes + 64);
		size_bytes = wrap_gzip(wrapped, body, size_bytes);
		body = wrapped;
	}
	(void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n%s",
	               size_bytes, gzip ? "Content-Encoding: gzip\r\n" : "");
	add_head(call, status, type, length);
	add_text(peer, "\r\n");
	size_t most = limit(peer, size_bytes);

	add(peer, body, most);
	flush_out(peer);
	peer->broken |= most < size_bytes;
	free(wrapped);
}

static const char *type_of(long status)
{
	switch (status) {
	case 400: return "invalid_request_error";
	case 401: return "authentication_error";
	case 402: return "billing_error";
	case 403: return "permission_error";
	case 404: return "not_found_error";
	case 409: return "conflict_error";
	case 413: return "request_too_large";
	case 429: return "rate_limit_error";
	case 504: return "timeout_error";
	case 529: return "overloaded_error";
	default: return "api_error";
	}
}

static void refuse(struct call *call, long status, const char *why)
{
	char body[1024], line[32], details[128] = "null";

	(void)snprintf(line, sizeof(line), "%ld Refused", status);
	if (call->fault.html || status == 413) {
		add_body(call, line, "text/html", "<html>no</html>", 15);
		return;
	}
	if (call->fault.code[0] != '\0')
		(void)snprintf(details, sizeof(details),
		               "{\"error_code\":\"%s\"}", call->fault.code);
	int length = snprintf(
		body, sizeof(body),
		"{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":"
		"\"%s\",\"details\":%s},\"request_id\":\"req_%s\"}",
		type_of(status), why, details, call->id);

	add_body(call, line, "application/json", body, (size_t)length);
}

/* The text of the reply, as it stands in JSON. */
static char *make_text(const struct call *call, size_t *size_out)
{
	const struct fault *fault = &call->fault;
	size_t room = call->text.size_bytes + 80000, used;
	char *text = malloc(room);

	memcpy(text, "echo:", 5);
	memcpy(text + 5, call->text.bytes, call->text.size_bytes);
	used = 5 + call->text.size_bytes;
	if (fault->big) {
		memset(text + used, 'x', 70000);
		used += 70000;
	}
	if (fault->lone)
		used += (size_t)sprintf(text + used, "\\ud800");
	if (fault->nul)
		used += (size_t)sprintf(text + used, "\\u0000");
	if (fault->pair)
		used += (size_t)sprintf(text + used, "\\ud83d\\ude00");
	if (fault->bad_utf8)
		text[used++] = (char)0xff;
	*size_out = used;
	return text;
}

static const char *stop_of(const struct call *call)
{
	return call->fault.stop[0] != '\0' ? call->fault.stop
	       : call->fault.tool          ? "tool_use"
	                                   : "end_turn";
}

#define TOOL                                                          \
	"{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"get\"," \
	"\"input\":"

static void answer_whole(struct call *call)
{
	size_t length, room;
	char *text = make_text(call, &length), *body;
	int used;

	room = length + 2048;
	body = malloc(room);
	used = snprintf(
		body, room,
		"{\"id\":\"msg_%s\",\"type\":\"message\",\"role\":"
		"\"assistant\",\"model\":%.*s,\"content\":[%s%s{\"type\":"
		"\"text\",\"text\":\"%.*s\",\"citations\":null}],"
		"\"stop_reason\":\"%s\",\"stop_sequence\":null,"
		"\"stop_details\":%s,\"usage\":{\"input_tokens\":%zu,"
		"\"output_tokens\":%zu,\"cache_read_input_tokens\":null}}",
		call->id, (int)call->model.size_bytes,
		(const char *)call->model.bytes,
		call->fault.thinking ? "{\"type\":\"thinking\",\"thinking\":"
				       "\"hm\",\"signature\":\"s\"},"
				     : "",
		call->fault.tool ? TOOL "{\"a\":1}}," : "", (int)length, text,
		stop_of(call),
		strcmp(stop_of(call), "refusal") == 0
			? "{\"type\":\"refusal\",\"category\":\"x\"}"
			: "null",
		call->text.size_bytes, length);
	if (call->fault.no_json)
		body[0] = '[';
	add_body(call, "200 OK", "application/json", body, (size_t)used);
	free(body);
	free(text);
}

/* ------------------------------------------------------------------- streams */

/* One event, in a chunk of its own. */
static void send_event(struct call *call, const char *name, const char *data,
                       size_t size_bytes)
{
	size_t room = size_bytes + 256;
	char *event = malloc(room);
	const char *end = call->fault.line_end;
	int used = snprintf(event, room, "%sevent: %s%sdata: %.*s%s%s",
	                    call->fault.odd ? ": a comment\n" : "", name, end,
	                    (int)size_bytes, data, end, end);

	add_chunk(call->peer, event, (size_t)used);
	free(event);
	if (call->fault.drip_ms > 0) {
		flush_out(call->peer);
		pause_us(call->fault.drip_ms * 1000);
	}
}

static void send_text_event(struct call *call, const char *name,
                            const char *data)
{
	send_event(call, name, data, strlen(data));
}

/* Blocks are counted; a thought comes before the text, and a tool behind it. */
static int text_index(const struct call *call)
{
	return call->fault.thinking ? 1 : 0;
}

static void send_delta(struct call *call, const char *text, size_t length)
{
	char *data = malloc(length + 256);
	int used = sprintf(data,
	                   "{\"type\":\"content_block_delta\",\"index\":%d,"
	                   "\"delta\":{\"type\":\"text_delta\",\"text\":\"%.*s"
	                   "\"}}",
	                   text_index(call), (int)length, text);

	send_event(call, "content_block_delta", data, (size_t)used);
	free(data);
}

/* The length of the next piece of a text: no escape is divided, but a pair of
 * surrogates is. */
static size_t piece_of(const char *text, size_t length, size_t pieces)
{
	size_t want = length / pieces + 1, used = 0;

	while (used < length && used < want) {
		if (text[used] == '\\')
			used += text[used + 1] == 'u' ? 6 : 2;
		else if (((unsigned char)text[used] & 0xc0) == 0xc0) {
			used++;
			while (used < length &&
			       ((unsigned char)text[used] & 0xc0) == 0x80)
				used++;
		} else
			used++;
	}
	return used;
}

/* Events that a client need not know. */
static void send_oddities(struct call *call)
{
	send_text_event(call, "ping", "{\"type\":\"ping\"}");
	send_text_event(call, "novelty",
	                "{\"type\":\"novelty\",\"text\":\"no\"}");
	send_text_event(
		call, "content_block_delta",
		"{\"type\":\"content_block_delta\",\"index\":0,"
		"\"delta\":{\"type\":\"novel_delta\",\"text\":\"no\"}}");
}

static void send_begin(struct call *call)
{
	char data[1024];

	(void)snprintf(data, sizeof(data),
	               "{\"type\":\"message_start\",\"message\":{\"id\":"
	               "\"msg_%s\",\"type\":\"message\",\"model\":%.*s,"
	               "\"content\":[],\"stop_reason\":null,\"usage\":{"
	               "\"input_tokens\":%zu,\"output_tokens\":1}}}",
	               call->id, (int)call->model.size_bytes,
	               (const char *)call->model.bytes, call->text.size_bytes);
	send_text_event(call, "message_start", data);
	if (call->fault.thinking) {
		send_text_event(call, "content_block_start",
		                "{\"type\":\"content_block_start\",\"index\":0,"
		                "\"content_block\":{\"type\":\"thinking\","
		                "\"thinking\":\"\"}}");
		send_text_event(call, "content_block_delta",
		                "{\"type\":\"content_block_delta\",\"index\":0,"
		                "\"delta\":{\"type\":\"thinking_delta\","
		                "\"thinking\":\"hm\"}}");
		send_text_event(
			call, "content_block_stop",
			"{\"type\":\"content_block_stop\",\"index\":0}");
	}
	(void)snprintf(data, sizeof(data),
	               "{\"type\":\"content_block_start\",\"index\":%d,"
	               "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}",
	               text_index(call));
	send_text_event(call, "content_block_start", data);
}

static void send_tool(struct call *call)
{
	static const struct {
		const char *name, *rest;
	} events[] = {
		{"content_block_start", "\"content_block\":" TOOL "{}}"},
		{"content_block_delta",
	         "\"delta\":{\"type\":\"input_json_delta\","
	         "\"partial_json\":\"{\\\"a\\\":\"}"},
		{"content_block_delta",
	         "\"delta\":{\"type\":\"input_json_delta\","
	         "\"partial_json\":\"1}\"}"},
		{"content_block_stop", "\"more\":null"},
	};
	char data[256];

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		(void)snprintf(
			data, sizeof(data), "{\"type\":\"%s\",\"index\":%d,%s}",
			events[i].name, text_index(call) + 1, events[i].rest);
		send_text_event(call, events[i].name, data);
	}
}

static void send_end(struct call *call, size_t length)
{
	char data[512];

	(void)snprintf(data, sizeof(data),
	               "{\"type\":\"content_block_stop\",\"index\":%d}",
	               text_index(call));
	send_text_event(call, "content_block_stop", data);
	if (call->fault.tool)
		send_tool(call);
	(void)snprintf(data, sizeof(data),
	               "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
	               "\"%s\",\"stop_sequence\":null},\"usage\":{"
	               "\"output_tokens\":%zu,\"input_tokens\":null}}",
	               stop_of(call), length);
	send_text_event(call, "message_delta", data);
	if (!call->fault.no_stop)
		send_text_event(call, "message_stop",
		                "{\"type\":\"message_stop\"}");
	add_text(call->peer, "0\r\n\r\n");
}

static void send_pause(struct call *call)
{
	for (long i = 0; i < call->fault.pings; i++) {
		send_text_event(call, "ping", "{\"type\":\"ping\"}");
		flush_out(call->peer);
		pause_us(call->fault.stall_ms * 1000);
	}
	if (call->fault.pings == 0 && call->fault.stall_ms > 0) {
		flush_out(call->peer);
		pause_us(call->fault.stall_ms * 1000);
	}
}

static void answer_stream(struct call *call)
{
	size_t length, at = 0;
	char *text = make_text(call, &length);
	long pieces = 0;

	add_head(call, "200 OK", "text/event-stream; charset=utf-8",
	         "Transfer-Encoding: chunked\r\n");
	add_text(call->peer, "\r\n");
	send_begin(call);
	send_pause(call);
	while (at < length && !call->peer->broken) {
		size_t piece = piece_of(text + at, length - at, 3);

		if (++pieces == call->fault.stream_error) {
			send_text_event(call, "error",
			                "{\"type\":\"error\",\"error\":{"
			                "\"type\":\"overloaded_error\","
			                "\"message\":\"Overloaded\"}}");
			add_text(call->peer, "0\r\n\r\n");
			break;
		}
		if (call->fault.odd)
			send_oddities(call);
		if (call->fault.garbage && at > 0)
			send_text_event(call, "content_block_delta",
			                "{\"type\":");
		send_delta(call, text + at, piece);
		at += piece;
	}
	if (at == length)
		send_end(call, length);
	flush_out(call->peer);
	free(text);
}

/* ------------------------------------------------------------------ requests */

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

/* The text of the last message. */
static bool read_request(struct call *call, struct cli_json_span body)
{
	struct cli_json_span messages = find(body, "messages"),
			     last = {NULL, 0};
	struct cli_json_span stream = find(body, "stream"), content;
	struct cli_json_scan scan;

	call->model = find(body, "model");
	call->stream = stream.size_bytes == 4;
	if (messages.size_bytes == 0 || messages.bytes[0] != '[' ||
	    call->model.size_bytes == 0 ||
	    find(body, "max_tokens").size_bytes == 0)
		return false;
	cli_json_begin(&scan, (const char *)messages.bytes,
	               messages.size_bytes);
	cli_json_enter(&scan);
	while (cli_json_next_element(&scan))
		last = cli_json_take_value(&scan);
	content = find(last, "content");
	if (content.size_bytes == 0 || !cli_json_is_string(content))
		return false;
	call->text = cli_json_inside(content);
	return true;
}

static bool has_header(const char *head, const char *name, const char *value)
{
	size_t length = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line != NULL;
	     line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, length) == 0 && line[length] == ':')
			return value == NULL ||
			       strncmp(line + length + 2, value,
			               strlen(value)) == 0;
	}
	return false;
}

static bool is_allowed(const char *head)
{
	char bearer[256];

	(void)snprintf(bearer, sizeof(bearer), "Bearer %s\r", wanted_key);
	return has_header(head, "authorization", bearer) ||
	       has_header(head, "x-api-key", wanted_key);
}

static void log_line(int fd, struct cli_json_span text)
{
	char line[4096];
	size_t length = text.size_bytes < sizeof(line) - 1 ? text.size_bytes
	                                                   : sizeof(line) - 1;

	if (fd < 0)
		return;
	memcpy(line, text.bytes, length);
	line[length] = '\n';
	if (write(fd, line, length + 1) < 0)
		perror("model_stub");
}

/* The whole URL stands there where this is taken for a proxy. */
static bool is_post(const char *head)
{
	static const char scheme[] = "http://",
			  path[] = "/v1/messages HTTP/1.1\r\n";

	if (strncmp(head, "POST ", 5) != 0)
		return false;
	head += 5;
	if (strncmp(head, scheme, strlen(scheme)) == 0) {
		head += strlen(scheme);
		head += strcspn(head, "/ ");
	}
	return strncmp(head, path, strlen(path)) == 0;
}

/* As a server in front of the real one does that is being restarted. */
static void end_with_garbage(struct peer *peer)
{
	add_text(peer, "garbage\r\n\r\n");
	flush_out(peer);
	peer->broken = true;
}

static void answer(struct call *call, const char *head)
{
	struct cli_json_span body = {(unsigned char *)call->peer->body,
	                             call->peer->body_bytes};
	struct cli_json_error error;

	if (!is_post(head)) {
		refuse(call, 404, "no such place");
	} else if (!is_allowed(head)) {
		refuse(call, 401, "invalid key");
	} else if (!has_header(head, "anthropic-version", "20") ||
	           !has_header(head, "content-type", "application/json") ||
	           !cli_json_check((const char *)body.bytes, body.size_bytes,
	                           &error) ||
	           !read_request(call, body)) {
		refuse(call, 400, "bad request");
	} else {
		log_line(calls_fd, call->text);
		log_line(bodies_fd, body);
		read_faults(&call->fault, call->text, count_call(call->text));
		choose_fault(&call->fault);
		call->peer->left = call->fault.cut;
		call->peer->split = call->fault.split;
		call->peer->rst = call->fault.rst;
		pause_us(base_delay_us + call->fault.delay_ms * 1000);
		if (call->fault.bad_http)
			end_with_garbage(call->peer);
		else if (call->fault.redirect)
			add_body(call,
			         "307 Elsewhere\r\nLocation: "
			         "http://127.0.0.2:9/v1/messages",
			         "text/plain", "", 0);
		else if (call->fault.status != 0)
			refuse(call, call->fault.status, "asked for");
		else if (call->stream)
			answer_stream(call);
		else
			answer_whole(call);
	}
}

/* Reads a request.  The head ends with a NUL in the place of its blank line;
 * false at the end of the connection. */
static bool read_head(struct peer *peer, size_t *head_out)
{
	for (;;) {
		char *end;
		ssize_t got;

		peer->in[peer->in_used] = '\0';
		end = strstr(peer->in, "\r\n\r\n");
		if (end != NULL) {
			*head_out = (size_t)(end - peer->in) + 4;
			return true;
		}
		if (peer->in_used >= HEAD_BYTES - 1)
			return false;
		got = get(peer, peer->in + peer->in_used,
		          HEAD_BYTES - 1 - peer->in_used);
		if (got <= 0)
			return false;
		peer->in_used += (size_t)got;
	}
}

static bool read_body(struct peer *peer, size_t head_bytes)
{
	const char *length = strcasestr(peer->in, "\r\ncontent-length:");
	size_t have = peer->in_used - head_bytes;

	peer->body_bytes = length != NULL ? (size_t)atol(length + 17) : 0;
	if (peer->body_bytes > (size_t)32 << 20)
		return false;
	peer->body = realloc(peer->body, peer->body_bytes + 1);
	if (have > peer->body_bytes)
		have = peer->body_bytes;
	memcpy(peer->body, peer->in + head_bytes, have);
	while (have < peer->body_bytes) {
		ssize_t got = get(peer, peer->body + have,
		                  peer->body_bytes - have);

		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return true;
}

static bool serve_one(struct peer *peer)
{
	static unsigned long number;
	size_t head_bytes, used;
	char id[32];
	struct call call = {.peer = peer, .id = id};

	if (!read_head(peer, &head_bytes) || !read_body(peer, head_bytes))
		return false;
	(void)snprintf(id, sizeof(id), "%lu",
	               __atomic_fetch_add(&number, 1, __ATOMIC_RELAXED));
	peer->in[head_bytes - 2] = '\0';
	peer->left = 0;
	peer->split = false;
	answer(&call, peer->in);
	used = head_bytes + peer->body_bytes;
	used = used < peer->in_used ? used : peer->in_used;
	peer->in_used -= used;
	memmove(peer->in, peer->in + used, peer->in_used);
	return !peer->broken;
}

static void *serve(void *context)
{
	struct peer *peer = context;
	struct linger reset = {1, 0};
	int on = 1;

	(void)setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
#ifdef STUB_TLS
	if (tls != NULL) {
		peer->ssl = SSL_new(tls);
		SSL_set_fd(peer->ssl, peer->fd);
		peer->broken = SSL_accept(peer->ssl) != 1;
	}
#endif
	while (!peer->broken && serve_one(peer))
		;
	if (peer->rst)
		(void)setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &reset,
		                 sizeof(reset));
#ifdef STUB_TLS
	if (peer->ssl != NULL)
		SSL_free(peer->ssl);
#endif
	close(peer->fd);
	free(peer->body);
	free(peer->out);
	free(peer);
	return NULL;
}

static void accept_all(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		struct peer *peer;
		pthread_t thread;

		if (fd < 0)
			continue;
		peer = calloc(1, sizeof(*peer));
		peer->fd = fd;
		peer->out = malloc(OUT_BYTES);
		if (pthread_create(&thread, NULL, serve, peer) == 0)
			pthread_detach(thread);
	}
}

static void *wait_for_end(void *context)
{
	char byte;

	(void)context;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	_exit(0);
}

static void set_tls(const char *certificate, const char *key)
{
#ifdef STUB_TLS
	tls = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_certificate_file(tls, certificate, SSL_FILETYPE_PEM) !=
	            1 ||
	    SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
		fprintf(stderr, "model_stub: no certificate or no key\n");
		exit(2);
	}
#else
	(void)certificate;
	(void)key;
	fprintf(stderr, "model_stub: built without TLS\n");
	exit(77);
#endif
}

static void read_options(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--key") == 0)
			wanted_key = argv[i + 1];
		else if (strcmp(argv[i], "--calls") == 0)
			calls_fd = open(argv[i + 1],
			                O_WRONLY | O_CREAT | O_APPEND, 0600);
		else if (strcmp(argv[i], "--bodies") == 0)
			bodies_fd = open(argv[i + 1],
			                 O_WRONLY | O_CREAT | O_APPEND, 0600);
		else if (strcmp(argv[i], "--chaos") == 0)
			chaos_percent = (unsigned)atoi(argv[i + 1]);
		else if (strcmp(argv[i], "--delay") == 0)
			base_delay_us = atol(argv[i + 1]);
		else if (strcmp(argv[i], "--port") == 0)
			(void)setenv("STUB_PORT", argv[i + 1], 1);
		else if (strcmp(argv[i], "--tls") == 0 && i + 2 < argc) {
			set_tls(argv[i + 1], argv[i + 2]);
			i++;
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	pthread_t thread;

	signal(SIGPIPE, SIG_IGN);
	read_options(argc, argv);
	slots = calloc(SLOTS, sizeof(*slots));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (getenv("STUB_PORT") != NULL)
		address.sin_port = htons((uint16_t)atoi(getenv("STUB_PORT")));
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (slots == NULL ||
	    bind(listener, (struct sockaddr *)&address, length) != 0 ||
	    listen(listener, 128) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
		perror("model_stub");
		return 2;
	}
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	(void)pthread_create(&thread, NULL, wait_for_end, NULL);
	accept_all(listener);
	return 0;
}
