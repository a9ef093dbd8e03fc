/* Accepting JSON quickly, where the processor has wide instructions. */
#ifndef CLI_JSON_QUICK_H
#define CLI_JSON_QUICK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether the bytes are one JSON object or array: true only for what
 * cli_json_check() accepts.  False leaves it open: the processor may not be
 * one for this, the text may be no container, begin with a blank or nest deeper
 * than 64 levels, and nothing says what may be wrong with it.
 */
bool cli_json_is_quick(const unsigned char *text, size_t size_bytes);

#endif
