/*
 * What the fuzzers share.  Each fuzz_NAME.c has one LLVMFuzzerTestOneInput();
 * support.c stands between the code and its output, and replay.c feeds files
 * where there is no libFuzzer.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* A function that only judges: a fuzzer learns nothing from its branches, and
 * to report them takes most of the time. */
#ifdef __clang__
#define FUZZ_JUDGE __attribute__((no_sanitize("coverage")))
#else
#define FUZZ_JUDGE
#endif

/* Ends the process with a report unless the condition holds. */
#define require(condition) \
	((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

void fuzz_fail(const char *file, int line, const char *what)
	__attribute__((noreturn));

/* What is left of an input.  Taken from the front; zeros when it is used up. */
struct fuzz_input {
	const uint8_t *at;
	size_t left_bytes;
};

uint8_t fuzz_take_byte(struct fuzz_input *input);
uint64_t fuzz_take_u64(struct fuzz_input *input);

/*
 * The rest of an input as a block of its own, so that a sanitizer sees each
 * access beyond it.  Freed by the caller; the second one ends with a NUL and
 * stops at the first NUL of the input, which is passed over.
 */
uint8_t *fuzz_copy(const void *bytes, size_t size_bytes);
char *fuzz_take_text(struct fuzz_input *input);

/*
 * Long inputs from short ones.  Takes REPEAT and COUNT, and all that is left:
 * its first COUNT + 1 bytes many times over (REPEAT from 0xf0 on; 0xfe for as
 * often as a payload has room for them, 0xff for as often as `most` has), and
 * the rest behind them; `most` bytes at most, in a block of their own.
 */
uint8_t *fuzz_take_long(struct fuzz_input *input, size_t most,
                        size_t *size_out);

/* The bytes, `times` times over and at most `limit`, in a block of their own. */
uint8_t *fuzz_repeat(const void *bytes, size_t size_bytes, size_t times,
                     size_t limit, size_t *size_out);

/* A descriptor that nobody has; what is written to it is kept. */
#define FUZZ_FD 1000000

struct fuzz_written {
	uint8_t *bytes;
	size_t size_bytes;
};

/* What was written to FUZZ_FD and what was said on stderr since they were
 * last taken.  Valid until something is written again. */
struct fuzz_written fuzz_take_output(void);
struct fuzz_written fuzz_take_messages(void);

/* An output to FUZZ_FD, the same one each time, as a buffer is dear. */
struct cli_output;
struct cli_output *fuzz_output(void);

/* Whether bytes may reach a terminal: well-formed UTF-8 without anything that
 * acts or hides, judged without the code that is tested. */
bool fuzz_is_harmless(const uint8_t *bytes, size_t size_bytes);

/* The length of the well-formed UTF-8 sequence at the front, or 0, and its
 * code point; another implementation than the one that is tested. */
size_t fuzz_utf8(const uint8_t *bytes, size_t size_bytes, uint32_t *point_out);

#endif
