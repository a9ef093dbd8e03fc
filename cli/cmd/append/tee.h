/* What append --tee prints: the records whose frames were committed. */
#ifndef CLI_TEE_H
#define CLI_TEE_H

#include "stdout_buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct cli_input_format;

struct cli_tee {
	bool wanted;
	bool frames;   /* the records are frames of a log */
	int delimiter; /* behind each record: a byte, or CLI_NO_DELIMITER */
};

/* Prints records as an input format has them, which must be one whose records
 * are payloads or frames. */
void cli_tee_init(struct cli_tee *tee, const struct cli_input_format *format);

/* Prints the records of so many bytes of frames, which are sound and whole.  A
 * failure sticks in the output. */
void cli_tee_print(const struct cli_tee *tee, struct cli_output *output,
                   const unsigned char *frames, size_t size_bytes);

/* The same for the first bytes of a file.  0 or -errno of reading it. */
int cli_tee_print_file(const struct cli_tee *tee, struct cli_output *output,
                       int fd, uint64_t size_bytes);

#endif
