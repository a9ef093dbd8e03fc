/*
 * The field of frames that logs are merged by: its value in the JSON of a
 * payload, or of the value of a frame that has a type.
 */
#ifndef CLI_MERGE_KEY_H
#define CLI_MERGE_KEY_H

#include "typed.h"
#include "value.h"

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>

struct cli_merge_path;

/* Reads a PATH, as --where takes it.  `typed`, which must stay, is the type of
 * frames.  CLI_OK, or an exit status after a message. */
int cli_merge_path_init(struct cli_merge_path **path_out, const char *text,
                        const struct cli_typed *typed);
void cli_merge_path_free(struct cli_merge_path *path);

/* A value of the field, with a text of its own.  All zeros is none, which comes
 * before all others. */
struct cli_merge_key {
	struct cli_value value;
	unsigned char *room;
	size_t room_bytes;
};

void cli_merge_key_release(struct cli_merge_key *key);

/* Sets the key to the field of a frame; a frame without that field leaves it as
 * it is.  False if memory is short. */
bool cli_merge_key_read(struct cli_merge_path *path,
                        const struct shmlog_frame *frame,
                        struct cli_merge_key *key);

/* Copies a key.  False if memory is short. */
bool cli_merge_key_copy(struct cli_merge_key *to,
                        const struct cli_merge_key *from);

/* Less than, equal to or greater than 0, in jq's order.  Values that are too
 * deep to be compared count as equal. */
int cli_merge_key_order(struct cli_merge_path *path,
                        const struct cli_merge_key *one,
                        const struct cli_merge_key *two);

#endif
