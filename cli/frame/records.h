/*
 * Records: how the input formats of append cut a stream into payloads.  Pure:
 * the same bytes give the same records.
 */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_typed;

enum cli_input_format {
	CLI_INPUT_LINES,
	CLI_INPUT_NUL,
	CLI_INPUT_JSON,
	CLI_INPUT_ENVELOPE,
	CLI_INPUT_FRAMES,
	CLI_INPUT_WHOLE,
};

/* The longest record, as it stands in the input, that can be a payload: an
 * envelope whose every payload byte is a \uXXXX escape, and room for the
 * other members. */
#define CLI_RECORD_MAX_BYTES (6u * 65536u + 4096u)

/* Finds a format by its -i name; false if there is none of that name. */
bool cli_input_format_parse(const char *name,
                            enum cli_input_format *format_out);

/* What the messages call a record: "line", "record", "frame", "input". */
const char *cli_record_noun(enum cli_input_format format);

/* How many bytes fewer than its frame a record of cli_records_frame() has,
 * with its delimiter. */
unsigned cli_record_surplus(enum cli_input_format format);

enum cli_split {
	CLI_SPLIT_RECORD,   /* a record */
	CLI_SPLIT_MORE,     /* the bytes end inside one: read on */
	CLI_SPLIT_TOO_LONG, /* no payload can be this long */
	CLI_SPLIT_CUT,      /* the input ends inside a frame */
	CLI_SPLIT_BROKEN,   /* no frame: the two size words disagree */
};

/* A record as it stands in the input. */
struct cli_record {
	const unsigned char *bytes; /* without its delimiter */
	size_t size_bytes;
	size_t consumed; /* with its delimiter */
};

/*
 * Cuts the first record from `size_bytes` > 0 bytes; `at_end` says that no
 * more will follow them.  For TOO_LONG, record_out->size_bytes is its size
 * as far as it is known, and ->consumed is 0 if its end is not in sight.
 */
enum cli_split cli_record_split(enum cli_input_format format,
                                const unsigned char *bytes, size_t size_bytes,
                                bool at_end, struct cli_record *record_out);

enum cli_convert {
	CLI_CONVERT_PAYLOAD,
	CLI_CONVERT_NOTHING, /* a blank line, a line about the log */
	CLI_CONVERT_INVALID,
};

/* What a record stands for. */
struct cli_payload {
	const unsigned char *bytes; /* in the record or in the scratch */
	size_t size_bytes;          /* may be over 65,531 */
	char reason[768];           /* why it is invalid */
};

/* Turns a record into a payload.  `scratch` has CLI_RECORD_MAX_BYTES. */
enum cli_convert cli_record_convert(enum cli_input_format format,
                                    const struct cli_record *record,
                                    unsigned char *scratch,
                                    struct cli_payload *payload_out);

/* Frames in the making. */
struct cli_framing {
	unsigned char *frames; /* where they go */
	size_t room_bytes;     /* there */
	uint64_t most;         /* frames to make */
	size_t used;           /* bytes of frames */
	uint64_t count;        /* of frames, each of one record */
	size_t consumed;       /* bytes of input that these were */
};

/*
 * Makes frames of the records that the input begins with, as long as a frame
 * of any size has room: exactly those that cli_record_split() and
 * cli_record_convert() lead to.  Stops before each record that needs a closer
 * look (out of sight, too long, broken, blank, invalid), and may stop before
 * any other, so what is next is for those two to say.  `used`, `count` and
 * `consumed` are 0 at first.
 */
void cli_records_frame(enum cli_input_format format, const unsigned char *bytes,
                       size_t size_bytes, struct cli_framing *framing);

/*
 * Splitting and converting where records are values of a type, in any format
 * but frames: the JSON of a value may be longer than a payload, and as long as
 * cli_value_max().
 */
size_t cli_value_max(const struct cli_typed *typed);
enum cli_split cli_value_split(enum cli_input_format format,
                               const struct cli_typed *typed,
                               const unsigned char *bytes, size_t size_bytes,
                               bool at_end, struct cli_record *record_out);
enum cli_convert cli_value_convert(enum cli_input_format format,
                                   const struct cli_typed *typed,
                                   const struct cli_record *record,
                                   unsigned char *scratch,
                                   struct cli_payload *payload_out);

#endif
