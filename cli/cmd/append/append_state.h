/* One run of append: what its rooms share. */
#ifndef CLI_APPEND_STATE_H
#define CLI_APPEND_STATE_H

#include "append_options.h"
#include "committer.h"
#include "input.h"
#include "overflow.h"
#include "progress.h"

#include <stdbool.h>
#include <stdint.h>

struct cli_append {
	struct cli_append_options options;
	struct shmlog *log; /* NULL: not open yet */
	struct cli_committer committer;
	struct cli_overflow overflow;
	struct cli_input input;
	size_t file;            /* the number of the FILE at hand; 0: none */
	unsigned char *scratch; /* for conversions */
	uint64_t skipped;       /* records, for --skip-invalid */
	struct cli_progress progress; /* of the FILE at hand */

	/* The input ends early; what is not in the log begins at `rest`. */
	bool ended;
	bool told;                /* a message says so */
	bool told_unacknowledged; /* and that acknowledgements failed */
	struct cli_place rest;
};

#endif
