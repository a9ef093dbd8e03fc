/*
 * Top on a screen: what is shown of the model, and what keys do to it.  All of
 * it is a function of what came before, so that tests need no terminal.
 */
#ifndef TOP_STATE_H
#define TOP_STATE_H

#include "picture.h"
#include "screen.h"
#include "top_model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows above the list: the title, the state, the names of the columns. */
#define TOP_HEAD_ROWS 3u

enum top_mode {
	TOP_LIST,
	TOP_HELP,
	TOP_FILTER, /* a filter is typed */
	TOP_QUESTION,
};

/* What is left to the caller, as it takes more than the state. */
enum top_action {
	TOP_ACTION_NONE,
	TOP_ACTION_QUIT,
	TOP_ACTION_INTERRUPT, /* ^C */
	TOP_ACTION_STOP,      /* ^Z */
	TOP_ACTION_REDRAW,
	TOP_ACTION_VIEW,
	TOP_ACTION_ASK_ROTATE, /* find out who holds the log, and ask */
	TOP_ACTION_ASK_REMOVE,
	TOP_ACTION_ROTATE, /* the answer was yes */
	TOP_ACTION_REMOVE,
};

struct top_state {
	struct top_model model;
	enum top_mode mode;
	size_t first; /* the first row on the screen */
	size_t rows;  /* of the list on it */
	bool paused;
	enum cli_glyphs glyphs;
	const char *where; /* what is searched for logs, for the title */
	int64_t interval_ns;
	char clock[16];          /* the time of day */
	char former_filter[128]; /* before it was typed anew */
	char message[512];       /* until the next key */
	char question[6144];     /* in TOP_QUESTION */
	enum top_action if_yes;
	char subject[4096]; /* the log that the question is about */
	size_t help_first;
};

/* Takes a key. */
enum top_action top_state_key(struct top_state *state,
                              struct cli_key_event event);

/* Asks whether to do something to the selected log. */
void top_state_ask(struct top_state *state, enum top_action if_yes,
                   const char *question);

/* The keys, for the help page and the last line of the screen. */
struct top_key_help {
	const char *keys;
	const char *help;
	const char *hint; /* in the last line; NULL: not there */
};
const struct top_key_help *top_key_help(size_t n); /* NULL: no more */

#endif
