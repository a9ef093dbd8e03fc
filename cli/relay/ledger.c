/* Writes and reads the records of how far a log has come in its stream. */
#include "ledger.h"

#include "words.h"

#include <string.h>

static const char magic[8] = {'S', 'H', 'M', 'R', 'E', 'L', 'A', 'Y'};
#define VERSION 1u

/* The label: magic, version, source, two words of zeros and a checksum less
 * than a record has, so that none is taken for the other. */
#define VERSION_AT 8u
#define SOURCE_AT 16u
#define LABEL_SUM_AT 32u
/* A record. */
#define SEQUENCE_AT 8u
#define CREATED_AT 16u
#define RECORD_SUM_AT 24u

_Static_assert(LEDGER_LABEL_BYTES == LABEL_SUM_AT + 8, "layout is frozen");
_Static_assert(LEDGER_RECORD_BYTES == RECORD_SUM_AT + 8, "layout is frozen");

/* FNV-1a, 64 bits, from a beginning of the caller's. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size_bytes)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size_bytes; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

#define HASH_START UINT64_C(0xcbf29ce484222325)

uint64_t ledger_source(const char *stream, const char *topic)
{
	uint64_t hash = hash_bytes(HASH_START, stream, strlen(stream) + 1);

	return topic == NULL ? hash
	                     : hash_bytes(hash, topic, strlen(topic) + 1);
}

static uint64_t sum(const unsigned char *bytes, size_t size_bytes)
{
	return hash_bytes(HASH_START, bytes, size_bytes);
}

static size_t place_of(unsigned which)
{
	return LEDGER_LABEL_BYTES + which * LEDGER_RECORD_BYTES;
}

static void put_record(struct ledger *ledger, unsigned which,
                       const struct ledger_record *record)
{
	unsigned char *out = ledger->bytes + place_of(which);

	cli_word_store(out, record->end_cursor);
	cli_word_store(out + SEQUENCE_AT, record->sequence);
	cli_word_store(out + CREATED_AT, (uint64_t)record->stream_created);
	cli_word_store(out + RECORD_SUM_AT, sum(out, RECORD_SUM_AT));
}

/* False where it was never written, or not wholly. */
static bool get_record(const struct ledger *ledger, unsigned which,
                       struct ledger_record *record_out)
{
	const unsigned char *in = ledger->bytes + place_of(which);

	record_out->end_cursor = cli_word_load(in);
	record_out->sequence = cli_word_load(in + SEQUENCE_AT);
	record_out->stream_created = (int64_t)cli_word_load(in + CREATED_AT);
	return cli_word_load(in + RECORD_SUM_AT) == sum(in, RECORD_SUM_AT);
}

void ledger_make(struct ledger *ledger, uint64_t source,
                 const struct ledger_record *record)
{
	unsigned char *out = ledger->bytes;

	*ledger = (struct ledger){.now = *record};
	memcpy(out, magic, sizeof(magic));
	cli_word_store(out + VERSION_AT, VERSION);
	cli_word_store(out + SOURCE_AT, source);
	cli_word_store(out + LABEL_SUM_AT, sum(out, LABEL_SUM_AT));
	put_record(ledger, 0, record);
}

/* The record that says where the log ends; of two the one that was written
 * later, which passed over messages without frames. */
static bool find_true_one(struct ledger *ledger, uint64_t end_cursor)
{
	bool found = false;

	for (unsigned which = 0; which < 2; which++) {
		struct ledger_record record;

		if (!get_record(ledger, which, &record) ||
		    record.end_cursor != end_cursor ||
		    (found && record.sequence <= ledger->now.sequence))
			continue;
		found = true;
		ledger->now = record;
		ledger->true_one = which;
	}
	return found;
}

enum ledger_state ledger_read(struct ledger *ledger, uint64_t source,
                              uint64_t end_cursor)
{
	const unsigned char *in = ledger->bytes;

	if (memcmp(in, magic, sizeof(magic)) != 0 ||
	    cli_word_load(in + VERSION_AT) != VERSION ||
	    cli_word_load(in + LABEL_SUM_AT) != sum(in, LABEL_SUM_AT))
		return LEDGER_NONE;
	if (cli_word_load(in + SOURCE_AT) != source)
		return LEDGER_OTHER;
	return find_true_one(ledger, end_cursor) ? LEDGER_GOOD : LEDGER_STRANGE;
}

size_t ledger_stage(struct ledger *ledger, const struct ledger_record *record)
{
	unsigned other = 1 - ledger->true_one;

	put_record(ledger, other, record);
	return place_of(other);
}

void ledger_turn(struct ledger *ledger, const struct ledger_record *record)
{
	ledger->true_one = 1 - ledger->true_one;
	ledger->now = *record;
}
