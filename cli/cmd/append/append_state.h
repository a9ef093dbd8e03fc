/* One run of append: what its rooms share. */
#ifndef CLI_APPEND_STATE_H
#define CLI_APPEND_STATE_H

#include "append_options.h"
#include "committer.h"
#include "input.h"
#include "overflow.h"

#include <stdbool.h>
#include <stdint.h>

struct cli_append {
	struct cli_append_options options;
	struct shmlog *log; /* NULL: not open yet */
	struct cli_committer committer;
	struct cli_overflow overflow;
	struct cli_input input;
	unsigned char *scratch; /* for conversions */
	uint64_t skipped;       /* records, for --skip-invalid */

	/* The input ends early; what is not in the log begins at `rest`. */
	bool ended;
	bool told; /* a message says so */
	struct cli_place rest;
};

#endif
