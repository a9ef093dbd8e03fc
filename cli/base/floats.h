/*
 * Printing floating-point numbers as the shortest decimals that read back as
 * the same number, and reading them.
 */
#ifndef CLI_FLOATS_H
#define CLI_FLOATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tables of powers of ten for the conversion of binary exponents to decimal
 * ones: constants, computed once. */
struct cli_powers;
/* NULL if memory is short. */
struct cli_powers *cli_powers_new(void);
void cli_powers_free(struct cli_powers *powers);

/*
 * Prints the number with these bits as JavaScript does (0.1, 100, 1e+21),
 * except that minus zero is -0.  Values that JSON has no number for are
 * strings: "NaN", "Infinity", "-Infinity", and for a NaN other than the usual
 * one its bits, as in "NaN(0x7ff8000000000001)".  Any of the CLI_FLOAT_MAX
 * bytes of room may be written to; returns the end of the text.
 */
unsigned char *cli_put_f64(unsigned char *out, uint64_t bits,
                           const struct cli_powers *powers);
unsigned char *cli_put_f32(unsigned char *out, uint32_t bits,
                           const struct cli_powers *powers);
#define CLI_FLOAT_MAX 64u

/*
 * Reads a number in JSON's spelling, which some other character must follow,
 * and stores its bits: rounded to the nearest double, as JSON.parse does it,
 * and for f32 from there to the nearest float.  False if it is too large to be
 * finite.
 */
bool cli_read_f64(const unsigned char *number, uint64_t *bits_out);
bool cli_read_f32(const unsigned char *number, uint32_t *bits_out);

/* Reads the inside of one of the strings that cli_put_f64() or cli_put_f32()
 * prints; false for any other. */
bool cli_read_f64_word(const unsigned char *word, size_t size_bytes,
                       uint64_t *bits_out);
bool cli_read_f32_word(const unsigned char *word, size_t size_bytes,
                       uint32_t *bits_out);

#endif
