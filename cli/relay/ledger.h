/*
 * How far a log that is pulled has come in its stream.  Two records are kept,
 * in the log's own header or in a file beside it.  Each says where the log ends
 * and with which message of the stream that is.  Before each commit the one
 * that is not true any more is overwritten, by what will be true behind the
 * commit.  So whenever the process is killed, the record that says where the
 * log ends now is the true one.
 *
 * In a header, behind its 24 bytes: the label (40 bytes) at offset 24 of the
 * file, the two records (32 bytes each) at 64 and 96.
 */
#ifndef RELAY_LEDGER_H
#define RELAY_LEDGER_H

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_LABEL_BYTES 40u
#define LEDGER_RECORD_BYTES 32u
/* The metadata of a log that keeps a ledger; its header has 128 bytes. */
#define LEDGER_BYTES (LEDGER_LABEL_BYTES + 2 * LEDGER_RECORD_BYTES)

struct ledger_record {
	uint64_t end_cursor;    /* of the log */
	uint64_t sequence;      /* of the last message in it, or passed over */
	int64_t stream_created; /* which stream of that name it is */
};

struct ledger {
	unsigned char bytes[LEDGER_BYTES]; /* as they are kept */
	unsigned true_one;                 /* 0 or 1 */
	struct ledger_record now;
};

/* The number of a stream and a topic (NULL: all of the stream), for the label:
 * another one is another source. */
uint64_t ledger_source(const char *stream, const char *topic);

/* Begins a ledger whose first record is given. */
void ledger_make(struct ledger *ledger, uint64_t source,
                 const struct ledger_record *record);

enum ledger_state {
	LEDGER_GOOD,
	LEDGER_NONE,    /* the bytes are no ledger */
	LEDGER_OTHER,   /* it is of another source */
	LEDGER_STRANGE, /* no record says where the log ends: somebody else has
	                 * appended */
};

/* Reads a ledger from ledger->bytes, for a log that ends at `end_cursor`. */
enum ledger_state ledger_read(struct ledger *ledger, uint64_t source,
                              uint64_t end_cursor);

/* Writes a record over the one that is not true; it is true once the log ends
 * where it says.  Returns where in the bytes it stands. */
size_t ledger_stage(struct ledger *ledger, const struct ledger_record *record);

/* The commit has been made: that record is the true one. */
void ledger_turn(struct ledger *ledger, const struct ledger_record *record);

#endif
