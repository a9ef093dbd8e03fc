/* The log that is pushed: opened by its name, gone over to the log that takes
 * its place, and searched for the place where the stream ends. */
#ifndef RELAY_PUSH_SOURCE_H
#define RELAY_PUSH_SOURCE_H

#include "engine.h"
#include "log_id.h"
#include "name_watch.h"
#include "named_log.h"
#include "position.h"

#include <stdbool.h>
#include <stdint.h>

struct push_source {
	const char *path;
	bool by_name;
	struct cli_name_watch watch;
	struct cli_named_log named;
	struct relay_log_id id; /* of the log that is open */
};

void push_source_begin(struct push_source *source, const char *path,
                       bool by_name);
void push_source_end(struct push_source *source);

static inline struct shmlog_reader *
push_source_reader(const struct push_source *source)
{
	return source->named.now.reader;
}

/* Opens the log.  *ready_out is false if it is worth waiting for.  CLI_OK, or
 * an exit status after a message. */
int push_source_open(struct push_source *source, bool *ready_out);

/* Looks whether another log has the name.  *switched_out: that one is open now,
 * at its start, or is to be opened. */
int push_source_look(struct push_source *source, bool *switched_out);

/* Whether the next look would leave the log. */
bool push_source_is_leaving(const struct push_source *source);

/* Goes back to the log of an identity, if it is among those that rotations have
 * left.  False where it is not. */
bool push_source_reopen(struct push_source *source, const char *id);

enum push_match {
	PUSH_MATCHES,   /* the reader stands behind the frames of the message */
	PUSH_DIFFERS,   /* there are other frames, or none */
	PUSH_UNREADABLE /* *status_out says why, and the message was printed */
};

/* Compares a message with the frames at its cursor. */
enum push_match push_source_match(struct push_source *source,
                                  const struct engine_message *message,
                                  int *status_out);

#endif
