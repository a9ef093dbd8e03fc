/* Checking lines of JSON quickly, where the processor has wide instructions. */
#ifndef CLI_IN_JSON_QUICK_H
#define CLI_IN_JSON_QUICK_H

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

#endif
