/*
 * An interface for writing bytes, for code that builds text piece by piece
 * without knowing where it goes: a buffer that hands out room at its end.
 */
#ifndef CLI_WRITER_H
#define CLI_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct cli_writer {
	/* Returns room for `size_bytes` (at most room_bytes) at the end; NULL
	 * where writing has failed, now or earlier. */
	unsigned char *(*reserve)(void *context, size_t size_bytes);
	/* Tells how much of the reserved room was used. */
	void (*advance)(void *context, size_t size_bytes);
	void *context;
	size_t room_bytes; /* the most that can be reserved at once */
	bool failed;       /* a reservation was refused */
};

static inline unsigned char *cli_writer_reserve(struct cli_writer *writer,
                                                size_t size_bytes)
{
	unsigned char *room = writer->reserve(writer->context, size_bytes);

	writer->failed |= room == NULL;
	return room;
}

static inline void cli_writer_advance(struct cli_writer *writer,
                                      size_t size_bytes)
{
	writer->advance(writer->context, size_bytes);
}

/* Appends any number of bytes. */
static inline void cli_writer_bytes(struct cli_writer *writer,
                                    const void *bytes, size_t size_bytes)
{
	const unsigned char *from = bytes;

	while (size_bytes > 0) {
		size_t piece = size_bytes < writer->room_bytes
		                       ? size_bytes
		                       : writer->room_bytes;
		unsigned char *room = cli_writer_reserve(writer, piece);

		if (room == NULL)
			return;
		memcpy(room, from, piece);
		cli_writer_advance(writer, piece);
		from += piece;
		size_bytes -= piece;
	}
}

static inline void cli_writer_string(struct cli_writer *writer,
                                     const char *text)
{
	cli_writer_bytes(writer, text, strlen(text));
}

#endif
