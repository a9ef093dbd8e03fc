/* The strict parsers of numbers, sizes and durations.  All of them take the
 * whole text, no blanks, no sign unless said, and refuse overflow. */
#ifndef CLI_NUMBERS_H
#define CLI_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits: 0 to UINT64_MAX. */
bool cli_parse_u64(const char *text, uint64_t *value_out);

/* A SIZE: digits with an optional K, M, G, T (powers of 1024; an i, B or iB
 * may follow the letter: no). */
bool cli_parse_size(const char *text, uint64_t *bytes_out);

/* A DURATION: a decimal number, a fraction allowed, and one of ns, us, ms, s,
 * m, h; a unit is required except for 0.  At most INT64_MAX nanoseconds. */
bool cli_parse_duration(const char *text, int64_t *ns_out);

/* Octal permission bits, 0 to 07777. */
bool cli_parse_mode(const char *text, unsigned *mode_out);

/* A number in decimal digits, at most CLI_U64_MAX of them, without a NUL.
 * Returns the bytes written. */
size_t cli_put_u64(unsigned char *out, uint64_t value);
#define CLI_U64_MAX 20u

#endif
