/*
 * Floating-point numbers to the shortest decimals that read back as the same
 * number, and back.
 */
#ifndef CLI_FLOATS_H
#define CLI_FLOATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The powers of ten that binary exponents are turned by: tables of constants,
 * worked out once. */
struct cli_powers;
/* NULL if memory is short. */
struct cli_powers *cli_powers_new(void);
void cli_powers_free(struct cli_powers *powers);

/*
 * The number with these bits, as JavaScript spells it (0.1, 100, 1e+21), but
 * minus zero as -0.  What JSON has no number for is a string: "NaN",
 * "Infinity", "-Infinity", and "NaN(0x7ff8000000000001)" with the bits of a
 * NaN that is not the usual one.  Of CLI_FLOAT_MAX bytes of room all may be
 * written to; returns the end of what counts.
 */
unsigned char *cli_put_f64(unsigned char *out, uint64_t bits,
                           const struct cli_powers *powers);
unsigned char *cli_put_f32(unsigned char *out, uint32_t bits,
                           const struct cli_powers *powers);
#define CLI_FLOAT_MAX 64u

/*
 * The bits of a number in JSON's spelling, which another character ends;
 * rounded to the nearest double, as JSON.parse does it, and for a f32 from
 * there.  False if it is too large to be finite.
 */
bool cli_read_f64(const unsigned char *number, uint64_t *bits_out);
bool cli_read_f32(const unsigned char *number, uint32_t *bits_out);

/* The bits for the inside of a string that cli_put_f64() or cli_put_f32()
 * prints; false for any other. */
bool cli_read_f64_word(const unsigned char *word, size_t size_bytes,
                       uint64_t *bits_out);
bool cli_read_f32_word(const unsigned char *word, size_t size_bytes,
                       uint32_t *bits_out);

#endif
