/*
 * Reads PROMPTS on a thread of its own, which sleeps on the log, and hands the
 * prompts over in order.  At most some hundred wait to be taken; then no more
 * are read.
 */
#ifndef DISPATCH_PROMPT_SOURCE_H
#define DISPATCH_PROMPT_SOURCE_H

#include "position.h"
#include "prompt_window.h"
#include "reply_frame.h"

#include <pthread.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct reply_place;

struct prompt_source_options {
	const char *path;
	bool follow;
	bool by_name; /* follow the name */
	bool has_from;
	struct cli_position from; /* where to begin without any replies */
	/* Where the replies say that answering goes on. */
	const struct reply_place *place;
	const char *replies_path;
	struct shmlog_identity replies; /* which must be another log */
	const struct loop *loop;        /* woken when there is something */
};

enum source_item {
	SOURCE_NOTHING, /* nothing for now */
	SOURCE_PROMPT,
	/* All prompts from here on are from another log: prompt_source_log()
	 * says which. */
	SOURCE_LOG,
	SOURCE_ENDED,
};

struct prompt_source {
	struct prompt_source_options options;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t room;
	struct prompt *taken; /* of the thread that takes them */
	/* Guarded by the mutex: */
	struct prompt *first;
	struct prompt *last;
	size_t count;
	size_t payload_bytes;
	bool stop;    /* asked of the thread */
	bool waiting; /* the thread waits for another log to be begun */
	bool ended;
	int exit_status;
	char log_id[REPLY_LOG_ID_BYTES];
	uint64_t begin;
	struct shmlog *log; /* to wake the thread with */
};

/* Starts the thread.  CLI_OK, or an exit status after a message. */
int prompt_source_start(struct prompt_source *source,
                        const struct prompt_source_options *options);

/* Takes the next item; *prompt_out belongs to the caller. */
enum source_item prompt_source_take(struct prompt_source *source,
                                    struct prompt **prompt_out);

/* Behind SOURCE_LOG: what names the log in replies, and where the first prompt
 * is read. */
void prompt_source_log(struct prompt_source *source,
                       char id_out[REPLY_LOG_ID_BYTES], uint64_t *begin_out);

/* Ends the thread. */
void prompt_source_stop(struct prompt_source *source);

#endif
