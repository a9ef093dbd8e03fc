/* Parses positions in a log (POS), and finds them. */
#ifndef CLI_POSITION_H
#define CLI_POSITION_H

#include <shmlog.h>
#include <stdbool.h>
#include <stdint.h>

/* The forms of a position, as messages name them, and the note on them in
 * helps. */
#define CLI_POSITION_FIRST_FORMS \
	"start, end, N (a cursor), -N (N frames before the end), frame:N,"
#define CLI_POSITION_LAST_FORMS "frame:-N, offset:N or offset:0xN"
#define CLI_POSITION_FORMS CLI_POSITION_FIRST_FORMS " " CLI_POSITION_LAST_FORMS
#define CLI_POSITION_NOTE \
	"A POS is " CLI_POSITION_FIRST_FORMS "\n" CLI_POSITION_LAST_FORMS "."

enum cli_position_kind {
	CLI_POSITION_START,
	CLI_POSITION_END,
	CLI_POSITION_CURSOR,   /* N */
	CLI_POSITION_OFFSET,   /* offset:N */
	CLI_POSITION_FROM_END, /* -N, frame:-N: N frames before the end; -0 is
	                          * the end */
	CLI_POSITION_INDEX,    /* frame:N */
};

struct cli_position {
	enum cli_position_kind kind;
	uint64_t number;
	const char *text; /* as the user wrote it */
};

/* Whether a text has the form of a POS. */
bool cli_position_is_valid(const char *text);

/* Parses a POS.  Returns CLI_OK, or CLI_USAGE after a message. */
int cli_position_parse(const char *text, struct cli_position *position_out);

/*
 * Moves the reader to a position in its log.  With `nearest`, a place inside a
 * frame stands for that frame.  Returns CLI_OK; CLI_NO after a message that
 * names the two nearest frame starts, or the damage in between; another
 * status after its message.  `subject` is the log's name for messages.  The
 * reader stands at some frame start after a failure.
 *
 * The end is looked at more than once: shmlog_reader_hold_end() keeps a writer
 * from moving it in between, and from one position to the next.
 */
int cli_position_seek(const struct shmlog *log, struct shmlog_reader *reader,
                      const struct cli_position *position, bool nearest,
                      const char *subject);

/*
 * As cli_position_seek(), but without a message about damage in between:
 * *damage_out is the library's status of it then, otherwise 0, and
 * shmlog_reader_fault() has the details.
 */
int cli_position_seek_or_damage(const struct shmlog *log,
                                struct shmlog_reader *reader,
                                const struct cli_position *position,
                                bool nearest, const char *subject,
                                int *damage_out);

#endif
