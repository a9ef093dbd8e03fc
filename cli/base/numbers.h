/* Parsing numbers, sizes and durations strictly.  Each parser takes the whole
 * text, without blanks and without a sign, and refuses overflow. */
#ifndef CLI_NUMBERS_H
#define CLI_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_number {
	CLI_NUMBER_OK,
	CLI_NUMBER_MALFORMED, /* the text is not such a number */
	CLI_NUMBER_TOO_LARGE, /* the number is larger than can be stored */
};

/* Decimal digits: 0 to UINT64_MAX. */
enum cli_number cli_read_u64(const char *text, uint64_t *value_out);

/* A SIZE: digits, optionally followed by K, M, G or T or by KiB, MiB, GiB or
 * TiB, in either case, for powers of 1024.  KB and the like are refused, as
 * other tools take them for powers of 1000.  At most UINT64_MAX bytes. */
enum cli_number cli_read_size(const char *text, uint64_t *bytes_out);

/* A DURATION: a decimal number, with a fraction if need be, optionally followed
 * by ns, us, ms, s, m or h; the default is seconds.  At most INT64_MAX
 * nanoseconds. */
enum cli_number cli_read_duration(const char *text, int64_t *ns_out);

/* The same three for callers to which the reason of a refusal does not
 * matter. */
bool cli_parse_u64(const char *text, uint64_t *value_out);
bool cli_parse_size(const char *text, uint64_t *bytes_out);
bool cli_parse_duration(const char *text, int64_t *ns_out);

/* Octal permission bits, 0 to 07777. */
bool cli_parse_mode(const char *text, unsigned *mode_out);

/* Writes a number in decimal digits, at most CLI_U64_MAX of them, without a
 * NUL.  Returns the number of bytes written. */
size_t cli_put_u64(unsigned char *out, uint64_t value);
#define CLI_U64_MAX 20u

#endif
