/* The strict parsers of numbers, sizes and durations.  All of them take the
 * whole text, no blanks, no sign unless said, and refuse overflow. */
#ifndef CLI_NUMBERS_H
#define CLI_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_number {
	CLI_NUMBER_OK,
	CLI_NUMBER_MALFORMED, /* the text is no such number */
	CLI_NUMBER_TOO_LARGE, /* it is one, beyond what can be stored */
};

/* Decimal digits: 0 to UINT64_MAX. */
enum cli_number cli_read_u64(const char *text, uint64_t *value_out);

/* A SIZE: digits, and perhaps K, M, G or T behind them, or KiB, MiB, GiB or
 * TiB, in either case, for powers of 1024.  KB and the like are refused, as
 * they are powers of 1000 to other tools.  At most UINT64_MAX bytes. */
enum cli_number cli_read_size(const char *text, uint64_t *bytes_out);

/* A DURATION: a decimal number, a fraction allowed, and perhaps one of ns, us,
 * ms, s, m, h; without one it is seconds.  At most INT64_MAX nanoseconds. */
enum cli_number cli_read_duration(const char *text, int64_t *ns_out);

/* The same three, where it does not matter why a text is refused. */
bool cli_parse_u64(const char *text, uint64_t *value_out);
bool cli_parse_size(const char *text, uint64_t *bytes_out);
bool cli_parse_duration(const char *text, int64_t *ns_out);

/* Octal permission bits, 0 to 07777. */
bool cli_parse_mode(const char *text, unsigned *mode_out);

/* A number in decimal digits, at most CLI_U64_MAX of them, without a NUL.
 * Returns the bytes written. */
size_t cli_put_u64(unsigned char *out, uint64_t value);
#define CLI_U64_MAX 20u

#endif
