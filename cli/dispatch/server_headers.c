/* Reads the headers that matter. */
#include "server_headers.h"

#include "retry.h"
#include "timestamps.h"

#include <string.h>
#include <strings.h>

void server_headers_clear(struct server_headers *headers)
{
	*headers = (struct server_headers){.wait_ns = -1};
}

/* Visible ASCII that a JSON string may hold as it stands. */
static void copy_id(char *to, size_t room, const char *from)
{
	size_t used = 0;

	for (; *from != '\0' && used + 1 < room; from++) {
		if (*from > ' ' && *from <= '~' && *from != '"' &&
		    *from != '\\')
			to[used++] = *from;
	}
	to[used] = '\0';
}

static void take(struct server_headers *headers, const char *name,
                 const char *value, int64_t now_ns)
{
	int64_t wait_ns;

	if (strcasecmp(name, "content-type") == 0)
		headers->is_stream = strncasecmp(value, "text/event-stream",
		                                 17) == 0;
	else if (strcasecmp(name, "request-id") == 0)
		copy_id(headers->request_id, sizeof(headers->request_id),
		        value);
	else if (strcasecmp(name, "x-should-retry") == 0) {
		headers->should_retry = strcmp(value, "true") == 0;
		headers->has_advice = headers->should_retry ||
		                      strcmp(value, "false") == 0;
	} else if (strcasecmp(name, "retry-after-ms") == 0) {
		headers->wait_is_in_ms = retry_read_ms(value, &wait_ns);
		if (headers->wait_is_in_ms)
			headers->wait_ns = wait_ns;
	} else if (strcasecmp(name, "retry-after") == 0) {
		if (!headers->wait_is_in_ms &&
		    retry_read_after(value, now_ns / 1000000000, &wait_ns))
			headers->wait_ns = wait_ns;
	} else if (strcasecmp(name, "anthropic-ratelimit-requests-remaining") ==
	           0)
		headers->is_spent = strcmp(value, "0") == 0;
	else if (strcasecmp(name, "anthropic-ratelimit-requests-reset") == 0)
		(void)cli_read_iso8601(value, strlen(value),
		                       &headers->reset_ns);
}

void server_headers_take(struct server_headers *headers, const char *line,
                         size_t size_bytes, int64_t now_ns)
{
	const char *colon = memchr(line, ':', size_bytes);
	char name[64], value[256];
	size_t length;

	/* A status line: another reply begins. */
	if (size_bytes >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		server_headers_clear(headers);
		return;
	}
	length = colon != NULL ? (size_t)(colon - line) : sizeof(name);
	if (length >= sizeof(name))
		return;
	memcpy(name, line, length);
	name[length] = '\0';
	line = colon + 1;
	size_bytes -= length + 1;
	while (size_bytes > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		size_bytes--;
	}
	while (size_bytes > 0 && strchr(" \t\r\n", line[size_bytes - 1]))
		size_bytes--;
	if (size_bytes >= sizeof(value))
		return;
	memcpy(value, line, size_bytes);
	value[size_bytes] = '\0';
	take(headers, name, value, now_ns);
}
