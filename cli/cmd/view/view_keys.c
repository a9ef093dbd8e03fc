/* What each key does. */
#include "view_keys.h"

#include "command.h"
#include "output_format.h"
#include "spool.h"
#include "view_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CTRL(letter) ((letter)&0x1f)
/* Rows that one turn of the wheel moves the screen by. */
#define WHEEL_ROWS 3
/* Columns that the list is shifted by. */
#define SHIFT_COLUMNS 16u
#define COUNT_MAX (UINT64_MAX / 10 - 1)

/* ----------------------------------------------------------------- movement */

/* Moves what the keys are for: the page, the pane, or the list. */
static void scroll_lines(size_t *top, size_t lines, size_t height, int64_t by)
{
	size_t last = lines > height ? lines - height : 0;

	if (by < 0)
		*top = *top > (uint64_t)-by ? *top - (size_t)-by : 0;
	else
		*top = last > *top && last - *top > (uint64_t)by
		               ? *top + (size_t)by
		               : last;
}

static size_t page_height(const struct view_session *session)
{
	return session->rows > 2 ? session->rows - 2 : 1;
}

static void move(struct view_session *session, int64_t rows, bool scrolls)
{
	if (session->page != VIEW_PAGE_NONE)
		scroll_lines(&session->page_top, session->page_lines,
		             page_height(session), rows);
	else if (session->zoomed)
		scroll_lines(&session->pane_top, session->pane_lines,
		             session->pane_height, rows);
	else
		view_list_move(&session->list, rows, scrolls);
}

/* The number that was typed before the key, or 1. */
static int64_t times(const struct view_session *session)
{
	if (!session->has_count)
		return 1;
	return session->count < INT32_MAX ? (int64_t)session->count : INT32_MAX;
}

static int64_t screen(const struct view_session *session)
{
	size_t height = session->page != VIEW_PAGE_NONE ? page_height(session)
	                : session->zoomed               ? session->pane_height
	                                                : session->list.height;

	return height > 1 ? (int64_t)height - 1 : 1;
}

#define COMMAND(name)                                  \
	static void name(struct view_session *session, \
	                 const struct cli_key_event *event)
#define UNUSED (void)event

COMMAND(next_row)
{
	UNUSED;
	move(session, times(session), false);
}

COMMAND(previous_row)
{
	UNUSED;
	move(session, -times(session), false);
}

COMMAND(next_screen)
{
	UNUSED;
	move(session, times(session) * screen(session), true);
}

COMMAND(previous_screen)
{
	UNUSED;
	move(session, -times(session) * screen(session), true);
}

COMMAND(half_down)
{
	UNUSED;
	move(session, times(session) * (screen(session) + 1) / 2, true);
}

COMMAND(half_up)
{
	UNUSED;
	move(session, -times(session) * (screen(session) + 1) / 2, true);
}

COMMAND(wheel_down)
{
	UNUSED;
	move(session, WHEEL_ROWS, true);
}

COMMAND(wheel_up)
{
	UNUSED;
	move(session, -WHEEL_ROWS, true);
}

/* With a number, the frame of that number. */
static void go_to_count(struct view_session *session)
{
	char text[40];

	(void)snprintf(text, sizeof(text), "frame:%" PRIu64, session->count);
	view_go_to(session, text);
}

COMMAND(go_start)
{
	UNUSED;
	if (session->page != VIEW_PAGE_NONE || session->zoomed)
		move(session, -INT32_MAX, false);
	else if (session->has_count)
		go_to_count(session);
	else
		view_go_to(session, "start");
}

COMMAND(go_end)
{
	UNUSED;
	if (session->page != VIEW_PAGE_NONE || session->zoomed)
		move(session, INT32_MAX, false);
	else if (session->has_count)
		go_to_count(session);
	else
		view_go_to(session, "end");
}

COMMAND(go_percent)
{
	uint64_t end = session->source.end;
	uint64_t share = session->has_count ? session->count : 0;

	UNUSED;
	if (share >= 100) {
		view_jump_end(session);
		return;
	}
	view_jump(session, view_source_near(&session->source,
	                                    end / 100 * share +
	                                            end % 100 * share / 100));
}

COMMAND(next_damage)
{
	UNUSED;
	view_begin_job(session, VIEW_JOB_DAMAGE_BELOW);
}

COMMAND(previous_damage)
{
	UNUSED;
	view_begin_job(session, VIEW_JOB_DAMAGE_ABOVE);
}

/* ---------------------------------------------------------- prompts, search */

COMMAND(ask_position)
{
	UNUSED;
	view_prompt_begin(&session->prompt, VIEW_PROMPT_POSITION);
}

COMMAND(ask_search)
{
	UNUSED;
	view_prompt_begin(&session->prompt, VIEW_PROMPT_SEARCH);
}

COMMAND(ask_search_back)
{
	UNUSED;
	view_prompt_begin(&session->prompt, VIEW_PROMPT_SEARCH_BACK);
}

COMMAND(ask_filter)
{
	UNUSED;
	view_prompt_begin(&session->prompt, VIEW_PROMPT_FILTER);
}

COMMAND(search_again)
{
	UNUSED;
	view_search_on(session, session->search_backwards);
}

COMMAND(search_other_way)
{
	UNUSED;
	view_search_on(session, !session->search_backwards);
}

/* -------------------------------------------------------- marks, selections */

COMMAND(ask_mark)
{
	session->pending = event->key;
	view_say(session, event->key == 'm' ? "mark this place by a letter:"
	                                    : "go to the mark (' goes back):");
}

COMMAND(select_frames)
{
	UNUSED;
	if (session->select_begin != VIEW_NOWHERE) {
		session->select_begin = VIEW_NOWHERE;
		view_say(session, "nothing is selected");
		return;
	}
	session->select_begin = view_here(session);
	view_say(session, "move, and w exports the frames from here to there");
}

COMMAND(export_frames)
{
	const struct view_row *row = view_list_selected(&session->list);

	UNUSED;
	if (session->job == VIEW_JOB_EXPORT)
		view_say(session, "one export is at work: ^C stops it");
	else if (row == NULL)
		view_say(session, "there is no frame to export");
	else if (row->is_damage && session->select_begin == VIEW_NOWHERE)
		view_say(session,
		         "this is damage: there is no frame to export");
	else
		view_prompt_begin(&session->prompt, VIEW_PROMPT_FORMAT);
}

COMMAND(copy_cursor)
{
	UNUSED;
	(void)snprintf(session->copied, sizeof(session->copied), "%" PRIu64,
	               view_here(session));
	view_say(session, "cursor %s is copied, if the terminal takes it",
	         session->copied);
}

/* --------------------------------------------------------------------- pane */

COMMAND(turn_pane)
{
	if (session->pane_shown || session->zoomed) {
		view_pane_turn(&session->pane, event->key == CLI_KEY_BACK_TAB);
		session->pane_top = 0;
	}
	session->pane_shown = true;
	view_session_resize(session, session->rows, session->columns);
}

COMMAND(zoom_pane)
{
	UNUSED;
	session->zoomed = !session->zoomed;
	view_session_resize(session, session->rows, session->columns);
}

COMMAND(hide_pane)
{
	UNUSED;
	session->pane_shown = !session->pane_shown;
	session->zoomed = false;
	view_session_resize(session, session->rows, session->columns);
}

COMMAND(pane_down)
{
	UNUSED;
	scroll_lines(&session->pane_top, session->pane_lines,
	             session->pane_height, times(session));
}

COMMAND(pane_up)
{
	UNUSED;
	scroll_lines(&session->pane_top, session->pane_lines,
	             session->pane_height, -times(session));
}

static void show_json(struct view_session *session)
{
	session->pane.mode = VIEW_JSON;
	session->pane_shown = true;
	view_session_resize(session, session->rows, session->columns);
}

COMMAND(fold)
{
	UNUSED;
	show_json(session);
	if (session->pane.fold > session->pane.depth)
		session->pane.fold = session->pane.depth;
	if (session->pane.fold > 0)
		session->pane.fold--;
}

COMMAND(unfold)
{
	UNUSED;
	show_json(session);
	if (session->pane.fold < session->pane.depth)
		session->pane.fold++;
	else
		session->pane.fold = VIEW_UNFOLDED;
}

COMMAND(shift_right)
{
	UNUSED;
	if (session->shift < 1u << 16)
		session->shift += SHIFT_COLUMNS;
}

COMMAND(shift_left)
{
	UNUSED;
	session->shift -= session->shift >= SHIFT_COLUMNS ? SHIFT_COLUMNS : 0;
}

/* ------------------------------------------------------------------ session */

COMMAND(toggle_follow)
{
	UNUSED;
	if (!session->follow && cli_is_spooled(session->path)) {
		view_say(session,
		         "what is shown is a copy, which grows no more");
		return;
	}
	session->follow = !session->follow;
	if (session->follow)
		view_jump_end(session);
	view_say(session, "%s",
	         session->follow ? "follows the log; F ends that"
	                         : "follows no more");
}

COMMAND(show_facts)
{
	UNUSED;
	view_facts_gather(session);
	session->page = VIEW_PAGE_FACTS;
	session->page_top = 0;
}

COMMAND(show_help)
{
	UNUSED;
	session->page = VIEW_PAGE_HELP;
	session->page_top = 0;
}

COMMAND(reopen)
{
	UNUSED;
	if (view_reopen(session))
		view_say(session, "opened again");
}

COMMAND(redraw)
{
	UNUSED;
	session->redraw = true;
}

COMMAND(suspend)
{
	UNUSED;
	session->suspend = true;
}

COMMAND(interrupt)
{
	UNUSED;
	if (session->job != VIEW_JOB_NONE ||
	    view_list_is_looking(&session->list)) {
		bool exports = session->job == VIEW_JOB_EXPORT;

		view_stop_job(session);
		view_list_halt(&session->list);
		if (!exports)
			view_say(session, "stopped");
	} else if (session->follow) {
		session->follow = false;
		view_say(session, "follows no more");
	} else {
		view_say(session, "q quits");
	}
}

COMMAND(cancel)
{
	UNUSED;
	session->select_begin = VIEW_NOWHERE;
}

COMMAND(click)
{
	const struct view_list *list = &session->list;
	size_t row = event->row >= 1 ? list->top + event->row - 1 : SIZE_MAX;

	if (!session->zoomed && row < list->count &&
	    row < list->top + list->height)
		(void)view_list_select(&session->list, list->rows[row].cursor);
}

COMMAND(leave)
{
	if (session->page != VIEW_PAGE_NONE)
		session->page = VIEW_PAGE_NONE;
	else if (session->zoomed && event->key == 'q')
		zoom_pane(session, event);
	else
		session->quit = true;
}

/* -------------------------------------------------------------------- table */

const struct view_key view_keys[] = {
	{{'j', CLI_KEY_DOWN, CTRL('n')},
         "j  DOWN",
         "next frame",
         next_row,
         true},
	{{'k', CLI_KEY_UP, CTRL('p')},
         "k  UP",
         "previous frame",
         previous_row,
         true},
	{{' ', CLI_KEY_PAGE_DOWN, 'f', CTRL('f')},
         "SPACE  f",
         "next screen",
         next_screen,
         true},
	{{'b', CLI_KEY_PAGE_UP, CTRL('b')},
         "b",
         "previous screen",
         previous_screen,
         true},
	{{'d', CTRL('d')}, "d", "half a screen down", half_down, true},
	{{'u', CTRL('u')}, "u", "half a screen up", half_up, true},
	{{'g', '<', CLI_KEY_HOME}, "g", "start; Ng: frame N", go_start, true},
	{{'G', '>', CLI_KEY_END}, "G", "end; NG: frame N", go_end, true},
	{{'%', 'p'}, "N%", "N percent into the log", go_percent, false},
	{{':'},
         ":POS",
         "start, end, N (a cursor), -N, frame:N, frame:-N, offset:N",
         ask_position,
         false},
	{{']'}, "]", "next damage", next_damage, false},
	{{'['}, "[", "previous damage", previous_damage, false},
	{{'/'}, "/PATTERN", "search forwards (PCRE2)", ask_search, false},
	{{'?'}, "?PATTERN", "search backwards", ask_search_back, false},
	{{'n'}, "n", "search on", search_again, false},
	{{'N'}, "N", "search on, the other way", search_other_way, false},
	{{'&'},
         "&PATTERN",
         "show frames that match alone; & shows all",
         ask_filter,
         false},
	{{'m'}, "m LETTER", "mark this place", ask_mark, false},
	{{'\''},
         "' LETTER",
         "go to a mark; '' goes back to where a jump began",
         ask_mark,
         false},
	{{'v'},
         "v",
         "select frames from here on, or none",
         select_frames,
         false},
	{{'w'},
         "w",
         "export the selected frames, or this one, to a file",
         export_frames,
         false},
	{{'y'}, "y", "copy the cursor to the clipboard", copy_cursor, false},
	{{CLI_KEY_TAB, CLI_KEY_BACK_TAB},
         "TAB",
         "show the frame as text, JSON, hex, or the fields of its type",
         turn_pane,
         false},
	{{CLI_KEY_ENTER},
         "ENTER",
         "the frame on the whole screen, and back",
         zoom_pane,
         false},
	{{'t'}, "t", "hide or show the frame below the list", hide_pane, false},
	{{'J', CTRL('e')}, "J", "scroll the frame down", pane_down, false},
	{{'K', CTRL('y')}, "K", "scroll the frame up", pane_up, false},
	{{'-'}, "-", "JSON: fold the deepest level", fold, false},
	{{'+', '='}, "+", "JSON: unfold one level", unfold, false},
	{{CLI_KEY_RIGHT},
         "RIGHT",
         "shift the list to see more of payloads",
         shift_right,
         false},
	{{CLI_KEY_LEFT}, "LEFT", "shift it back", shift_left, false},
	{{'F'}, "F", "follow the log, or no more", toggle_follow, false},
	{{'s'}, "s", "facts about the log", show_facts, false},
	{{'R'}, "R", "open the log again, by its name", reopen, false},
	{{CTRL('l')}, "^L", "draw the screen again", redraw, true},
	{{CTRL('z')}, "^Z", "suspend", suspend, true},
	{{CTRL('c')},
         "^C",
         "stop a search, an export, the follow",
         interrupt,
         false},
	{{CLI_KEY_ESCAPE}, "ESC", "drop the selection", cancel, false},
	{{CLI_KEY_WHEEL_DOWN}, "wheel", "three frames down", wheel_down, true},
	{{CLI_KEY_WHEEL_UP}, "wheel", "three frames up", wheel_up, true},
	{{CLI_KEY_CLICK}, "click", "select a frame", click, false},
	{{'h', 'H'}, "h", "this page", show_help, false},
	{{'q', 'Q'}, "q", "quit", leave, true},
};

const size_t view_key_count = sizeof(view_keys) / sizeof(view_keys[0]);

static const struct view_key *find_key(uint32_t key)
{
	for (size_t i = 0; i < view_key_count; i++) {
		for (size_t k = 0; k < VIEW_KEYS_OF_ONE; k++) {
			if (view_keys[i].keys[k] == key)
				return &view_keys[i];
		}
	}
	return NULL;
}

/* ------------------------------------------------------------------ answers */

/* The selected frames, or the one at hand. */
static void selection(const struct view_session *session, uint64_t *begin_out,
                      uint64_t *end_out)
{
	const struct view_row *row = view_list_selected(&session->list);
	uint64_t from = session->select_begin;

	*begin_out = row->cursor;
	*end_out = row->next_cursor;
	if (from == VIEW_NOWHERE)
		return;
	if (from < *begin_out)
		*begin_out = from;
	/* The frame where the selection began belongs to it. */
	if (from >= *end_out)
		*end_out = from + 1;
}

static void ask_for_file(struct view_session *session)
{
	if (view_export_needs_columns(session->export) &&
	    (session->typed.type == NULL ||
	     !view_export_set_columns(session->export, ""))) {
		view_prompt_begin(&session->prompt, VIEW_PROMPT_COLUMNS);
		return;
	}
	view_prompt_begin(&session->prompt, VIEW_PROMPT_FILE);
}

static void drop_export(struct view_session *session)
{
	view_export_free(session->export);
	session->export = NULL;
}

static void take_format(struct view_session *session, const char *format)
{
	uint64_t begin, end;

	if (view_list_selected(&session->list) == NULL)
		return;
	selection(session, &begin, &end);
	session->export = view_export_new(session->path, &session->typed,
	                                  format, begin, end);
	if (session->export != NULL)
		ask_for_file(session);
}

static void take_columns(struct view_session *session, const char *list)
{
	if (view_export_set_columns(session->export, list))
		view_prompt_begin(&session->prompt, VIEW_PROMPT_FILE);
	else
		drop_export(session);
}

static void take_file(struct view_session *session, const char *file)
{
	struct view_export *export = session->export;

	if (!view_export_begin(export, &session->source, file)) {
		drop_export(session);
		return;
	}
	view_begin_job(session, VIEW_JOB_EXPORT);
	session->select_begin = VIEW_NOWHERE;
}

/* The line of a prompt is complete. */
static void take_answer(struct view_session *session)
{
	char text[VIEW_PROMPT_BYTES];
	enum view_prompt_kind kind = session->prompt.kind;

	memcpy(text, session->prompt.text, sizeof(text));
	session->prompt.kind = VIEW_PROMPT_NONE;
	switch (kind) {
	case VIEW_PROMPT_SEARCH: view_set_search(session, text, false); break;
	case VIEW_PROMPT_SEARCH_BACK:
		view_set_search(session, text, true);
		break;
	case VIEW_PROMPT_FILTER: view_set_filter(session, text); break;
	case VIEW_PROMPT_POSITION:
		if (*text != '\0')
			view_go_to(session, text);
		break;
	case VIEW_PROMPT_FORMAT: take_format(session, text); break;
	case VIEW_PROMPT_COLUMNS: take_columns(session, text); break;
	case VIEW_PROMPT_FILE: take_file(session, text); break;
	default: break;
	}
}

/* Goes to the row at a place, which may be none any more. */
static void return_to(struct view_session *session, uint64_t cursor)
{
	view_jump(session, view_source_near(&session->source, cursor));
}

/* The key behind m or '. */
static void take_letter(struct view_session *session, uint32_t key)
{
	bool sets = session->pending == 'm';

	session->pending = 0;
	if (key == '\'' && !sets) {
		return_to(session, session->before);
	} else if (key <= ' ' || key >= VIEW_MARKS) {
		view_say(session, "no mark");
	} else if (sets) {
		session->marks[key] = view_here(session);
		view_say(session, "marked as %c", (char)key);
	} else if (session->marks[key] == VIEW_NOWHERE) {
		view_say(session, "there is no mark %c", (char)key);
	} else {
		return_to(session, session->marks[key]);
	}
}

static void type_into_prompt(struct view_session *session, uint32_t key)
{
	enum view_typed typed = view_prompt_key(&session->prompt, key);

	if (typed == VIEW_ENTERED)
		take_answer(session);
	else if (typed == VIEW_LEFT && session->job != VIEW_JOB_EXPORT)
		drop_export(session);
}

/* A search is over when another key comes; an export goes on. */
static void run(struct view_session *session, const struct view_key *key,
                const struct cli_key_event *event)
{
	if (session->job != VIEW_JOB_EXPORT && key->run != interrupt)
		view_stop_job(session);
	if (session->page != VIEW_PAGE_NONE && !key->on_page) {
		session->page = VIEW_PAGE_NONE;
		return;
	}
	key->run(session, event);
}

void view_session_key(struct view_session *session,
                      const struct cli_key_event *event)
{
	uint32_t key = event->key;
	const struct view_key *found;

	if (key == CLI_KEY_NONE || key == CLI_KEY_RESIZE || key == CLI_KEY_GONE)
		return;
	session->message[0] = '\0';
	/* What somebody looks at now is read now. */
	session->confirm_due_ns = 0;
	if (session->prompt.kind != VIEW_PROMPT_NONE) {
		type_into_prompt(session, key);
		return;
	}
	if (session->pending != 0) {
		take_letter(session, key);
		return;
	}
	if (key >= '0' && key <= '9') {
		if (session->count < COUNT_MAX)
			session->count = session->count * 10 + (key - '0');
		session->has_count = true;
		return;
	}
	found = find_key(key);
	if (found != NULL)
		run(session, found, event);
	else
		view_say(session, "no such key: h shows all");
	session->count = 0;
	session->has_count = false;
}
