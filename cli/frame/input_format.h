/*
 * The input formats of append: how a stream is cut into records, and what
 * payload each record stands for.  Pure: the same bytes give the same records.
 *
 * cli_input_formats[] in input_format.c is the one list of them: the help of
 * -i, the messages and the tests derive from it.  To add a format, write its
 * functions in a file in_NAME.c and a row there.
 */
#ifndef CLI_INPUT_FORMAT_H
#define CLI_INPUT_FORMAT_H

#include "completion.h"
#include "record.h"

struct cli_typed;

/* The longest input record that can be a payload: an envelope in which every
 * payload byte is a \uXXXX escape, and room for the other members. */
#define CLI_RECORD_MAX_BYTES (6u * 65536u + 4096u)

/* The format has no delimiter. */
#define CLI_NO_DELIMITER (-1)

struct cli_input_format {
	const char *name; /* as -i takes it */
	const char *noun; /* what messages call a record */
	int delimiter;    /* behind each record: a byte, or CLI_NO_DELIMITER */
	size_t longest;   /* bytes of a record that can be a payload */
	/* In formats whose records are payloads: how many bytes shorter than
	 * its frame a record with its delimiter is. */
	unsigned surplus;
	bool whole;    /* an input is one record, even if it is empty */
	bool values;   /* with --schema, records are values */
	bool messages; /* the texts of -m can be such records */
	/* See cli_record_split(); a record has at most `longest` bytes. */
	enum cli_split (*split)(const struct cli_input_format *format,
	                        size_t longest, const unsigned char *bytes,
	                        size_t size_bytes, bool at_end,
	                        struct cli_record *record_out);
	/* See cli_record_convert(); NULL: a record is its payload. */
	enum cli_convert (*convert)(const struct cli_record *record,
	                            unsigned char *scratch,
	                            struct cli_payload *payload_out);
	/* Makes frames of many records faster, as cli_records_frame() does;
	 * NULL where records are taken one by one. */
	void (*frame)(const struct cli_input_format *format,
	              const unsigned char *bytes, size_t size_bytes,
	              struct cli_framing *framing);
};

/* The first format is the default; a row without a name ends the list. */
extern const struct cli_input_format cli_input_formats[];

/* The format of the texts of -m, each with a NUL behind it; -i has no name for
 * it. */
extern const struct cli_input_format cli_input_messages;

/* One of their names, for the table of an option. */
extern const struct cli_argument_kind cli_takes_input_format;

/* The format of an -i name; NULL if there is none. */
const struct cli_input_format *cli_input_format_find(const char *name);

/* "lines, nul or json": the names of all formats. */
struct cli_input_names {
	char text[128];
};
const char *cli_input_format_names(struct cli_input_names *names);

/* The help of -i.  A test holds the names in it against the list. */
#define CLI_INPUT_FORMAT_HELP "lines, nul, json, envelope, frames or whole"

/*
 * Splits the first record off `size_bytes` > 0 bytes; `at_end` tells that these
 * are the last.  For CLI_SPLIT_TOO_LONG, record_out->size_bytes is the size as
 * far as it is known, and ->consumed is 0 if the bytes do not hold the end of
 * the record.
 */
enum cli_split cli_record_split(const struct cli_input_format *format,
                                const unsigned char *bytes, size_t size_bytes,
                                bool at_end, struct cli_record *record_out);

/*
 * Finds the end of a record that is too long in its next `size_bytes` bytes.
 * Stores how many of them belong to it, including its delimiter; false if it
 * does not end in them.
 */
bool cli_record_find_end(const struct cli_input_format *format,
                         const unsigned char *bytes, size_t size_bytes,
                         size_t *bytes_out);

/* Turns a record into a payload.  `scratch` has CLI_RECORD_MAX_BYTES. */
enum cli_convert cli_record_convert(const struct cli_input_format *format,
                                    const struct cli_record *record,
                                    unsigned char *scratch,
                                    struct cli_payload *payload_out);

/*
 * Frames as many records at the start of the input as there is room for:
 * exactly the frames that cli_record_split() and cli_record_convert() lead to.
 * Stops before any record that needs a closer look (incomplete, too long,
 * broken, blank, invalid), and may stop before any other, so the caller asks
 * those two about the next record.  `count` and `consumed` are 0 at first.
 */
void cli_records_frame(const struct cli_input_format *format,
                       const unsigned char *bytes, size_t size_bytes,
                       struct cli_framing *framing);

/*
 * Splitting and converting records that are values of a type, in a format that
 * allows values: the JSON of a value may be longer than a payload, up to
 * cli_value_max().
 */
size_t cli_value_max(const struct cli_typed *typed);
enum cli_split cli_value_split(const struct cli_input_format *format,
                               const struct cli_typed *typed,
                               const unsigned char *bytes, size_t size_bytes,
                               bool at_end, struct cli_record *record_out);
enum cli_convert cli_value_convert(const struct cli_input_format *format,
                                   const struct cli_typed *typed,
                                   const struct cli_record *record,
                                   unsigned char *scratch,
                                   struct cli_payload *payload_out);

#endif
