/* Points in time as data has them, in text: numbers since the epoch, and ISO
 * 8601. */
#ifndef CLI_TIMESTAMPS_H
#define CLI_TIMESTAMPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads a number, as JSON spells it, that counts seconds, milliseconds,
 * microseconds or nanoseconds since the epoch.  Its magnitude tells which:
 * seconds are below 10^11 (in the year 5138), milliseconds below 10^14,
 * microseconds below 10^17.  False for a text that is no such number.
 */
bool cli_read_epoch(const void *text, size_t size_bytes, int64_t *ns_out);

/* Reads 2026-11-27T04:00:00.123Z and the like: a fraction and an offset may be
 * missing, which is then taken for UTC, and so may the time of day. */
bool cli_read_iso8601(const void *text, size_t size_bytes, int64_t *ns_out);

#endif
