/* Records of an input, the payloads that they stand for, and batches of frames
 * made from them. */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_split {
	CLI_SPLIT_RECORD,   /* a record */
	CLI_SPLIT_MORE,     /* the bytes end inside one: read on */
	CLI_SPLIT_TOO_LONG, /* no payload can be this long */
	CLI_SPLIT_CUT,      /* the input ends inside a frame */
	CLI_SPLIT_BROKEN,   /* no frame: the two size words disagree */
};

/* A record as it stands in the input. */
struct cli_record {
	const unsigned char *bytes; /* without its delimiter */
	size_t size_bytes;
	size_t consumed; /* with its delimiter */
};

enum cli_convert {
	CLI_CONVERT_PAYLOAD,
	CLI_CONVERT_NOTHING, /* a blank line, or an event of the log */
	CLI_CONVERT_INVALID,
};

/* The payload that a record stands for. */
struct cli_payload {
	const unsigned char *bytes; /* in the record or in the scratch */
	size_t size_bytes;          /* may be over 65,531 */
	char reason[768];           /* why it is invalid */
};

/* Records that are made frames of, many at once. */
struct cli_framing {
	struct shmlog_batch *batch; /* that the frames are added to */
	uint64_t most;              /* frames to make */
	uint64_t count;             /* of frames, each of one record */
	size_t consumed;            /* bytes of input that these were */
};

#endif
