/* Escaping printable ASCII for JSON, where the processor has wide
 * instructions. */
#ifndef CLI_ESCAPE_QUICK_H
#define CLI_ESCAPE_QUICK_H

#include <stddef.h>

/*
 * Writes bytes as they stand inside of a JSON string, up to the first one that
 * is no printable ASCII, and moves *out behind what they became.  Returns how
 * many bytes were taken: fewer, or none, also near the end and on a processor
 * that is not one for this.  `*out` has room for CLI_ESCAPE_JSON_MAX times all
 * the bytes, and may be written to that far.
 */
size_t cli_escape_printable(unsigned char **out, const unsigned char *bytes,
                            size_t size_bytes);

#endif
