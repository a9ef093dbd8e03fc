/* Takes prompts, has them answered, and appends the replies. */
#ifndef DISPATCHER_H
#define DISPATCHER_H

#include "account.h"
#include "call.h"
#include "dispatch_options.h"
#include "loop.h"
#include "pacer.h"
#include "prompt_source.h"
#include "prompt_window.h"
#include "reply_log.h"
#include "reply_place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dispatcher {
	const struct dispatch_options *options;
	struct loop loop;
	struct way *way;
	struct reply_log replies;
	struct reply_place place;
	struct prompt_source source;
	struct window window;
	struct pacer pacer;
	struct account account;
	struct call *calls; /* that the way has, or that wait to be tried
	                     * again */
	size_t call_count;
	char log_id[REPLY_LOG_ID_BYTES]; /* of the log of the prompts */
	bool log_pending; /* another log begins once the window is empty */
	bool begun;       /* the first log has */
	bool read_all;    /* there are no more prompts */
	bool stopping;    /* no call is begun any more */
	bool over;        /* nothing is waited for any more */
	int status;
	int64_t told_ns; /* when the account was last shown */
	bool has_news;   /* for the account */
	/* Whether prompts can be sent together with others, and how many bytes
	 * of them. */
	bool (*can_join)(const struct prompt *prompt);
};

/* Opens REPLIES and finds the place in it, before a way is made.  CLI_OK, or
 * an exit status after a message. */
int dispatcher_init(struct dispatcher *dispatcher,
                    const struct dispatch_options *options);

/* Answers prompts until there are no more, or a signal comes.  Returns the exit
 * status. */
int dispatcher_run(struct dispatcher *dispatcher, struct way *way);

void dispatcher_release(struct dispatcher *dispatcher);

#endif
