/* A buffer of bytes that grows.  The first failure to grow sticks, and is the
 * caller's to look at once all was added. */
#ifndef DISPATCH_BYTES_H
#define DISPATCH_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zeros is an empty buffer. */
struct bytes {
	char *at;
	size_t used;
	size_t room;
	bool failed; /* memory was short */
};

/* Room for `size_bytes` more at the end, or NULL; bytes.used is the caller's to
 * move on. */
char *bytes_reserve(struct bytes *bytes, size_t size_bytes);
void bytes_add(struct bytes *bytes, const void *from, size_t size_bytes);
void bytes_string(struct bytes *bytes, const char *text);
void bytes_u64(struct bytes *bytes, uint64_t value);
/* Adds the inside of a JSON string that stands for these bytes. */
void bytes_escaped(struct bytes *bytes, const void *from, size_t size_bytes);

/* Empties the buffer; one that has become very large gives its memory back. */
void bytes_clear(struct bytes *bytes);
void bytes_free(struct bytes *bytes);

#endif
