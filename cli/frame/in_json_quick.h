/* Checking lines of JSON quickly, where the processor has wide instructions. */
#ifndef CLI_IN_JSON_QUICK_H
#define CLI_IN_JSON_QUICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Finds lines at the start of the input, at most so many, that are an object or
 * an array by cli_json_check(), each no longer than a payload.  Returns their
 * bytes with their newlines, and stores how many they are.  It may stop before
 * any line, and finds none on a processor that is not one for this.
 */
size_t cli_in_json_pass(const unsigned char *bytes, size_t size_bytes,
                        uint64_t most, uint64_t *count_out);

/* The ways to do it: cli_in_json_pass() takes the last one that works.  They
 * may stop before different lines. */
enum cli_json_way {
	CLI_JSON_NO_WAY, /* no line is found */
	CLI_JSON_32,     /* in registers of so many bytes: in_json_quick.c */
	CLI_JSON_64,     /* in_json_pairs.c */
	CLI_JSON_WAYS
};

/* Whether this processor can do it so. */
bool cli_in_json_way_works(enum cli_json_way way);

/* The same in a way that works. */
size_t cli_in_json_pass_by(enum cli_json_way way, const unsigned char *bytes,
                           size_t size_bytes, uint64_t most,
                           uint64_t *count_out);

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SHMLOG_PORTABLE)
#define CLI_JSON_WIDE

/* in_json_pairs.c */
size_t cli_in_json_pass_64(const unsigned char *bytes, size_t size_bytes,
                           uint64_t most, uint64_t *count_out);
#endif

#endif
