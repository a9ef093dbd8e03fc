/* Keeps a session: what has become of the log, and what is shown of it. */
#include "view_session.h"

#include "clock.h"
#include "command.h"
#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often the log's name is looked at. */
#define NAME_NS 500000000
/* How often the rows of the screen are compared with the log, at least. */
#define CONFIRM_NS 1000000000
/* Frames are not counted again all the time. */
#define RECOUNT_NS ((int64_t)5000000000)

void view_say(struct view_session *session, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(session->message, sizeof(session->message), format,
	                args);
	va_end(args);
}

static void forget_places(struct view_session *session)
{
	for (size_t i = 0; i < VIEW_MARKS; i++)
		session->marks[i] = VIEW_NOWHERE;
	session->before = 0;
}

bool view_session_begin(struct view_session *session, uint64_t cursor)
{
	bool has_list = view_list_init(&session->list);
	bool has_pane = view_pane_init(&session->pane, &session->typed,
	                               &session->matches);
	bool has_line = view_pane_init(&session->line, &session->typed,
	                               &session->matches);

	session->judge.passes_damage = true;
	session->pane_shown = true;
	session->pane_cursor = VIEW_NOWHERE;
	session->select_begin = VIEW_NOWHERE;
	session->first_end = session->source.end;
	session->recount_due_ns = cli_now_ns() + RECOUNT_NS;
	forget_places(session);
	session->before = cursor;
	/* What other rooms have to say is an answer, too. */
	cli_message_divert(session->message, sizeof(session->message));
	if (has_list)
		view_list_begin(&session->list, cursor, 0);
	return has_list && has_pane && has_line;
}

void view_drop_facts(struct view_session *session)
{
	for (size_t i = 0; i < session->fact_count; i++)
		free(session->facts[i]);
	free(session->facts);
	session->facts = NULL;
	session->fact_count = 0;
}

void view_session_release(struct view_session *session)
{
	view_stop_job(session);
	view_export_free(session->export);
	cli_message_divert(NULL, 0);
	for (size_t i = 1; i < VIEW_FILTERS; i++)
		cli_filter_free(session->judge.filters[i]);
	cli_filter_free(session->search);
	view_drop_facts(session);
	view_pane_release(&session->pane);
	view_pane_release(&session->line);
	view_list_release(&session->list);
	view_source_close(&session->source);
}

unsigned view_notice_rows(const struct view_session *session)
{
	unsigned most = session->rows > 8 ? 3 : 2;
	unsigned rows;

	if (session->notice[0] == '\0' || session->columns < VIEW_COLUMNS_MIN)
		return 0;
	rows = cli_text_rows(session->notice, session->columns);
	return rows < most ? rows : most;
}

void view_session_resize(struct view_session *session, unsigned rows,
                         unsigned columns)
{
	unsigned taken, room, list;

	session->rows = rows;
	session->columns = columns;
	/* The first and the last row, and a notice. */
	taken = 2 + view_notice_rows(session);
	room = rows > taken + 2 ? rows - taken : 2;
	list = room;
	if (session->zoomed)
		session->pane_height = room - 1;
	else if (session->pane_shown && room >= 6)
		list = room / 2;
	if (!session->zoomed)
		session->pane_height = room > list ? room - list - 1 : 0;
	session->list.height = list;
}

/* --------------------------------------------------------------- the places */

uint64_t view_here(const struct view_session *session)
{
	const struct view_row *row = view_list_selected(&session->list);

	return row != NULL ? row->cursor : session->source.end;
}

void view_jump(struct view_session *session, uint64_t cursor)
{
	session->before = view_here(session);
	if (!view_list_select(&session->list, cursor))
		view_list_begin(&session->list, cursor,
		                session->list.height / 3);
}

void view_jump_end(struct view_session *session)
{
	session->before = view_here(session);
	(void)view_source_refresh(&session->source);
	view_list_begin(&session->list, session->source.end,
	                session->list.height);
}

const struct view_arrival *view_arrival_of(const struct view_session *session,
                                           const struct view_row *row)
{
	size_t count = session->arrival_count;
	size_t first = count > VIEW_ARRIVALS ? count - VIEW_ARRIVALS : 0;
	const struct view_arrival *found = NULL;

	if (row->cursor < session->first_end)
		return NULL;
	for (size_t i = count; i > first; i--) {
		const struct view_arrival *arrival =
			&session->arrivals[(i - 1) % VIEW_ARRIVALS];

		if (arrival->end < row->next_cursor)
			return found;
		found = arrival;
	}
	/* It may have come before the first one that is kept. */
	return first == 0 ? found : NULL;
}

uint64_t view_number(const struct view_session *session,
                     const struct view_row *row, bool *exact_out)
{
	const struct view_index *index = &session->source.index;

	*exact_out = row->number != VIEW_NO_NUMBER &&
	             view_index_is_exact(index, row->cursor);
	return row->number != VIEW_NO_NUMBER
	               ? row->number
	               : view_index_estimate(index, row->cursor);
}

/* ------------------------------------------------- what becomes of the log */

static void note(struct view_session *session, const char *text)
{
	(void)snprintf(session->notice, sizeof(session->notice),
	               " %s; R re-opens it", text);
	view_session_resize(session, session->rows, session->columns);
}

static void note_trouble(struct view_session *session)
{
	int status = session->source.trouble;
	char text[VIEW_MESSAGE_BYTES - 32];

	if (status == 0 || session->notice[0] != '\0')
		return;
	(void)snprintf(text, sizeof(text), "the log cannot be read on: %s%s",
	               shmlog_strerror(status),
	               status == SHMLOG_ERR_MAPPING_GONE ||
	                               status == SHMLOG_ERR_WENT_BACK
	                       ? ", so what is shown may be gone"
	                       : "");
	note(session, text);
}

/* Whether the last row is selected, and nothing else is asked for. */
static bool is_at_bottom(const struct view_session *session)
{
	const struct view_list *list = &session->list;

	return list->at_end && list->want == 0 &&
	       (list->count == 0 || list->selected + 1 == list->count);
}

/* Whether nobody would lose a place or an answer by another log. */
static bool may_change_log(const struct view_session *session)
{
	return is_at_bottom(session) && !session->zoomed &&
	       session->select_begin == VIEW_NOWHERE &&
	       session->prompt.kind == VIEW_PROMPT_NONE &&
	       session->job == VIEW_JOB_NONE;
}

/* Whether the name still leads to the log. */
static void look_at_name(struct view_session *session)
{
	int64_t now_ns = cli_now_ns();
	int status;

	if (now_ns < session->name_due_ns)
		return;
	session->name_due_ns = now_ns + NAME_NS;
	status = shmlog_check_name(session->source.log);
	if (status == SHMLOG_ERR_REPLACED && session->by_name &&
	    session->follow && may_change_log(session) &&
	    view_reopen(session)) {
		view_say(session, "another log has taken the name: this is "
		                  "it");
		return;
	}
	if (status == session->name_status)
		return;
	session->name_status = status;
	if (status == SHMLOG_ERR_REPLACED)
		note(session, "another file has the name now: this log was "
		              "replaced or rotated");
	else if (status == -ENOENT)
		note(session, "the log was removed or renamed, and is still "
		              "open here");
}

static void record_arrival(struct view_session *session)
{
	struct view_arrival *arrival =
		&session->arrivals[session->arrival_count++ % VIEW_ARRIVALS];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*arrival = (struct view_arrival){
		.end = session->source.end,
		.second = now.tv_sec,
		.nanosecond = now.tv_nsec,
	};
}

static bool is_filtered(const struct view_session *session)
{
	return session->judge.filters[0] != NULL ||
	       session->judge.filters[1] != NULL;
}

/* A follow shows what has come, unless somebody has scrolled up. */
static void follow_growth(struct view_session *session)
{
	bool stays = !session->follow || !is_at_bottom(session) ||
	             session->zoomed || session->select_begin != VIEW_NOWHERE;

	if (stays || is_filtered(session))
		view_list_grown(&session->list);
	if (stays)
		return;
	if (is_filtered(session))
		view_list_move(&session->list, INT64_MAX, false);
	else
		view_list_begin(&session->list, session->source.end,
		                session->list.height);
}

/* Whether the rows of the screen are still what the log has. */
static bool are_rows_true(struct view_session *session)
{
	const struct view_list *list = &session->list;
	size_t end = list->top + list->height;

	for (size_t i = list->top; i < end && i < list->count; i++) {
		if (!view_source_confirms(&session->source, &list->rows[i]))
			return false;
	}
	return true;
}

void view_recount(struct view_session *session)
{
	view_source_recount(&session->source);
	session->recount_due_ns = cli_now_ns() + RECOUNT_NS;
}

/* Reads again what is shown: payloads are changed in place, and damage may be
 * done and healed at any time. */
static void confirm_rows(struct view_session *session)
{
	struct view_list *list = &session->list;
	int64_t now_ns = cli_now_ns();
	size_t place;

	if (now_ns < session->confirm_due_ns || session->source.trouble != 0)
		return;
	session->confirm_due_ns = now_ns + CONFIRM_NS;
	session->confirmed++;
	view_source_forget(&session->source);
	if (list->count == 0 || now_ns < session->recount_due_ns ||
	    are_rows_true(session))
		return;
	place = list->selected >= list->top ? list->selected - list->top : 0;
	view_recount(session);
	view_list_begin(list,
	                view_source_near(&session->source, view_here(session)),
	                place);
	view_say(session,
	         "the log was changed here: its frames are counted again");
}

static void look_at_log(struct view_session *session)
{
	if (session->source.trouble == 0 &&
	    view_source_refresh(&session->source)) {
		record_arrival(session);
		follow_growth(session);
	}
	note_trouble(session);
	look_at_name(session);
	confirm_rows(session);
}

/* ------------------------------------------------------------------ numbers */

/* Numbers a row by counting from the index.  False if it turned out to be no
 * row of the log: its place was judged by the bytes around it. */
static bool number_row(struct view_session *session, size_t n)
{
	struct view_row *row = &session->list.rows[n];
	uint64_t begin, number;

	if (n > 0 && row[-1].number != VIEW_NO_NUMBER &&
	    row[-1].next_cursor == row->cursor) {
		row->number = row[-1].number + 1;
		return true;
	}
	if (!view_source_locate(&session->source, row->cursor, &begin, &number))
		return true;
	if (begin == row->cursor)
		row->number = number;
	return begin == row->cursor && number != VIEW_NO_NUMBER;
}

/* Numbers the rows of the screen that counting has passed.  Where payloads hold
 * frames, rows may turn out to be none: the true ones take their place. */
static void number_rows(struct view_session *session)
{
	struct view_list *list = &session->list;
	size_t end = list->top + list->height;

	for (size_t i = list->top; i < end && i < list->count; i++) {
		struct view_row *row = &list->rows[i];
		uint64_t begin, number;

		if (row->is_damage || row->number != VIEW_NO_NUMBER ||
		    row->next_cursor > session->source.index.at ||
		    number_row(session, i))
			continue;
		if (view_source_locate(&session->source, row->cursor, &begin,
		                       &number)) {
			view_list_begin(list, begin, list->height / 3);
			view_say(session, "what stood here was no frame, now "
			                  "that frames are counted");
		}
		return;
	}
}

/* ----------------------------------------------------------------- the work */

/* Copies the selected frame for the pane. */
static void fill_pane(struct view_session *session)
{
	const struct view_row *row = view_list_selected(&session->list);
	struct shmlog_frame frame;
	struct view_row again;

	if (row == NULL || row->is_damage ||
	    (row->cursor == session->pane_cursor &&
	     session->confirmed == session->pane_confirmed))
		return;
	session->pane_confirmed = session->confirmed;
	if (view_source_next(&session->source, row->cursor, &again, &frame) !=
	            1 ||
	    again.is_damage)
		return;
	if (row->cursor != session->pane_cursor)
		session->pane_top = 0;
	else if (view_pane_has(&session->pane, &frame))
		return;
	view_pane_set(&session->pane, &frame);
	session->pane_cursor = row->cursor;
}

bool view_session_work(struct view_session *session, int64_t until_ns)
{
	bool more = false;

	look_at_log(session);
	if (session->job != VIEW_JOB_NONE)
		more = view_work_on_job(session, until_ns);
	more |= !view_list_work(&session->list, &session->source,
	                        &session->judge, until_ns);
	fill_pane(session);
	number_rows(session);
	note_trouble(session);
	return more;
}

bool view_session_count(struct view_session *session, int64_t until_ns)
{
	bool more = session->source.trouble == 0 &&
	            view_source_count(&session->source, until_ns);

	number_rows(session);
	note_trouble(session);
	/* Some jobs wait for what was counted. */
	return more || session->job != VIEW_JOB_NONE;
}

bool view_reopen(struct view_session *session)
{
	struct view_source opened;
	uint64_t here = view_here(session);
	bool same;

	if (view_source_open(&opened, session->path) != CLI_OK)
		return false;
	view_stop_job(session);
	/* A place in one log says nothing about another. */
	same = shmlog_check_name(session->source.log) == 0 &&
	       opened.end >= session->source.end;
	if (!same)
		forget_places(session);
	view_source_close(&session->source);
	session->source = opened;
	session->notice[0] = '\0';
	session->name_status = 0;
	session->arrival_count = 0;
	session->first_end = opened.end;
	session->pane_cursor = VIEW_NOWHERE;
	session->select_begin = VIEW_NOWHERE;
	view_session_resize(session, session->rows, session->columns);
	view_list_begin(&session->list,
	                view_source_near(&session->source, here),
	                session->list.height / 3);
	if (session->follow)
		view_jump_end(session);
	return true;
}
