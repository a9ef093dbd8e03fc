/* Keeps bytes in a buffer that grows. */
#include "bytes.h"

#include "escape.h"
#include "numbers.h"

#include <stdlib.h>
#include <string.h>

/* A buffer that was larger than this is not kept for the next use. */
#define KEPT_BYTES ((size_t)1 << 20)

char *bytes_reserve(struct bytes *bytes, size_t size_bytes)
{
	size_t room = bytes->room > 0 ? bytes->room : 256;
	char *larger;

	if (bytes->failed)
		return NULL;
	if (size_bytes <= bytes->room - bytes->used)
		return bytes->at + bytes->used;
	if (size_bytes > SIZE_MAX / 4 - bytes->used) {
		bytes->failed = true;
		return NULL;
	}
	while (room - bytes->used < size_bytes)
		room *= 2;
	larger = realloc(bytes->at, room);
	if (larger == NULL) {
		bytes->failed = true;
		return NULL;
	}
	bytes->at = larger;
	bytes->room = room;
	return bytes->at + bytes->used;
}

void bytes_add(struct bytes *bytes, const void *from, size_t size_bytes)
{
	char *room;

	if (size_bytes == 0)
		return;
	room = bytes_reserve(bytes, size_bytes);
	if (room == NULL)
		return;
	memcpy(room, from, size_bytes);
	bytes->used += size_bytes;
}

void bytes_string(struct bytes *bytes, const char *text)
{
	bytes_add(bytes, text, strlen(text));
}

void bytes_u64(struct bytes *bytes, uint64_t value)
{
	char *room = bytes_reserve(bytes, CLI_U64_MAX);

	if (room != NULL)
		bytes->used += cli_put_u64((unsigned char *)room, value);
}

void bytes_escaped(struct bytes *bytes, const void *from, size_t size_bytes)
{
	char *room = bytes_reserve(bytes, size_bytes * CLI_ESCAPE_JSON_MAX);

	if (room != NULL)
		bytes->used += cli_escape_json((unsigned char *)room, from,
		                               size_bytes);
}

void bytes_clear(struct bytes *bytes)
{
	if (bytes->room > KEPT_BYTES)
		bytes_free(bytes);
	bytes->used = 0;
	bytes->failed = false;
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->at);
	*bytes = (struct bytes){0};
}
