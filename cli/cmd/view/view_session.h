/*
 * A session of the pager: the log, what is shown of it, and what is asked for.
 * It knows no terminal: keys come in, and view_render.c makes cells of it.
 * Whatever may take long is a job, which is worked on between keys.
 */
#ifndef VIEW_SESSION_H
#define VIEW_SESSION_H

#include "view_export.h"
#include "view_list.h"
#include "view_pane.h"
#include "view_prompt.h"

#include "screen.h"

#include <stdbool.h>
#include <stdint.h>

#define VIEW_MARKS 128u
#define VIEW_MESSAGE_BYTES 512u
/* Times at which the log was seen to grow that are kept. */
#define VIEW_ARRIVALS 1024u
#define VIEW_NOWHERE UINT64_MAX

/* The least screen. */
#define VIEW_ROWS_MIN 6u
#define VIEW_COLUMNS_MIN 40u

/* What a session waits for. */
enum view_job {
	VIEW_JOB_NONE,
	VIEW_JOB_SEARCH,
	VIEW_JOB_NUMBER,       /* a frame by its number */
	VIEW_JOB_BACK,         /* so many frames before the end */
	VIEW_JOB_DAMAGE_BELOW, /* the next damage */
	VIEW_JOB_DAMAGE_ABOVE,
	VIEW_JOB_EXPORT,
};

/* What fills the screen instead of the log. */
enum view_page {
	VIEW_PAGE_NONE,
	VIEW_PAGE_HELP,
	VIEW_PAGE_FACTS
};

/* All that was committed before `end` had come at that time. */
struct view_arrival {
	uint64_t end;
	int64_t second; /* since the epoch */
	long nanosecond;
};

struct view_session {
	/* What the command line asked for. */
	const char *path;
	bool follow;
	bool by_name; /* a log that takes the name is opened instead */
	struct cli_typed typed;

	struct view_source source;
	struct view_list list;
	struct view_judge judge; /* filters: options, `&`, and a search */
	char filter_text[VIEW_PROMPT_BYTES];
	struct cli_filter *search; /* NULL: nothing was searched for */
	char search_text[VIEW_PROMPT_BYTES];
	bool search_backwards;
	struct cli_match_finder matches;
	struct view_pane pane;
	struct view_pane line; /* for the rows of the list, one by one */
	bool pane_shown;
	bool zoomed; /* the pane has all of the screen */
	size_t pane_top;
	size_t pane_lines; /* as they were drawn last */
	size_t pane_height;
	uint64_t pane_cursor;    /* of the frame in it */
	unsigned pane_confirmed; /* what `confirmed` was then */
	unsigned shift;          /* columns that the list is shifted by */
	uint64_t marks[VIEW_MARKS];
	uint64_t before;       /* where the last jump came from */
	uint64_t select_begin; /* a selection, or VIEW_NOWHERE */

	struct view_prompt prompt;
	uint64_t count; /* typed in front of a command */
	bool has_count;
	uint32_t pending; /* a key that takes another one: m or ' */
	enum view_page page;
	size_t page_top;
	size_t page_lines;
	char **facts; /* lines of that page */
	size_t fact_count;

	enum view_job job;
	struct view_scan scan; /* of a search, or of frames from the end */
	uint64_t job_number;
	uint64_t job_from; /* where the job began */
	struct view_export *export;

	char message[VIEW_MESSAGE_BYTES]; /* an answer to the last key */
	char notice[VIEW_MESSAGE_BYTES];  /* what has become of the log */
	struct view_arrival arrivals[VIEW_ARRIVALS];
	size_t arrival_count;
	uint64_t first_end; /* the end when the session began */
	int64_t name_due_ns;
	int64_t confirm_due_ns; /* when rows are compared with the log again */
	int64_t recount_due_ns; /* not earlier than this */
	unsigned confirmed;     /* how often they were */
	int name_status;        /* as it was found last */
	unsigned rows;          /* of the screen */
	unsigned columns;
	bool quit;
	bool suspend; /* ^Z was pressed */
	bool redraw;
	char copied[32]; /* for the clipboard; "" for nothing */
};

/* Begins a session on a source that is open, which it owns from then on, at a
 * cursor.  False when memory is short; to be released in either case. */
bool view_session_begin(struct view_session *session, uint64_t cursor);
void view_session_release(struct view_session *session);

/* The screen has this size: shares it among the list and the pane.  Called
 * before the first work, and again at any time. */
void view_session_resize(struct view_session *session, unsigned rows,
                         unsigned columns);

/* Rows that the notice takes, 0 if there is none. */
unsigned view_notice_rows(const struct view_session *session);

/* Takes a key. */
void view_session_key(struct view_session *session,
                      const struct cli_key_event *event);

/* Counts all frames again. */
void view_recount(struct view_session *session);

/* Looks at the log, and works on what is due until that time.  Whether there is
 * more to do at once. */
bool view_session_work(struct view_session *session, int64_t until_ns);
/* Counts frames until that time, which can wait until all else is shown. */
bool view_session_count(struct view_session *session, int64_t until_ns);

/* ------------------------------------- for the commands behind the keys */

/* Sets the answer to a key. */
void view_say(struct view_session *session, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Shows the row at a cursor in the upper part of the screen, and remembers
 * where the selection was. */
void view_jump(struct view_session *session, uint64_t cursor);
void view_jump_end(struct view_session *session);

/* The cursor of the selected row, or of the end. */
uint64_t view_here(const struct view_session *session);

/* Goes to a POS, as it was typed. */
void view_go_to(struct view_session *session, const char *text);

/* Begins a search for the next match, or the one before. */
void view_search_on(struct view_session *session, bool backwards);
void view_set_search(struct view_session *session, const char *pattern,
                     bool backwards);
void view_set_filter(struct view_session *session, const char *pattern);

void view_begin_job(struct view_session *session, enum view_job job);
/* Ends the job, if there is one. */
void view_stop_job(struct view_session *session);
/* Works on the job; whether there is more to do at once. */
bool view_work_on_job(struct view_session *session, int64_t until_ns);

/* Drops the lines of the page of facts. */
void view_drop_facts(struct view_session *session);

/* Opens the log anew, by its name.  False after an answer that says why that is
 * not possible. */
bool view_reopen(struct view_session *session);

/* When the frame before a cursor was seen to come; NULL if before the session,
 * or too long ago. */
const struct view_arrival *view_arrival_of(const struct view_session *session,
                                           const struct view_row *row);

/* The number of the selected row, exact if *exact_out, else about. */
uint64_t view_number(const struct view_session *session,
                     const struct view_row *row, bool *exact_out);

#endif
