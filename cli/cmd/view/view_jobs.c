/* Goes to places, at once or after a search that is done in slices of time. */
#include "view_session.h"

#include "clock.h"
#include "command.h"
#include "position.h"

#include <inttypes.h>
#include <string.h>

void view_begin_job(struct view_session *session, enum view_job job)
{
	view_stop_job(session);
	session->job = job;
	session->job_from = view_here(session);
}

void view_stop_job(struct view_session *session)
{
	if (session->job == VIEW_JOB_EXPORT) {
		view_export_stop(session->export);
		session->export = NULL;
	}
	session->job = VIEW_JOB_NONE;
}

/* ---------------------------------------------------------------- positions */

static void go_to_cursor(struct view_session *session, uint64_t cursor)
{
	struct view_source *source = &session->source;
	struct view_row row;
	uint64_t begin;

	(void)view_source_refresh(source);
	if (cursor == source->end) {
		view_jump_end(session);
		return;
	}
	if (cursor > source->end) {
		view_jump_end(session);
		view_say(session,
		         "no frame starts at cursor %" PRIu64
		         ": the log ends at %" PRIu64,
		         cursor, source->end);
		return;
	}
	begin = view_source_near(source, cursor);
	view_jump(session, begin);
	if (begin != cursor && view_source_next(source, begin, &row, NULL) == 1)
		view_say(session,
		         "no frame starts at cursor %" PRIu64
		         ": the nearest are %" PRIu64 " and %" PRIu64,
		         cursor, row.cursor, row.next_cursor);
}

static void go_to_number(struct view_session *session, uint64_t number)
{
	view_begin_job(session, VIEW_JOB_NUMBER);
	session->job_number = number;
}

static void go_back(struct view_session *session, uint64_t frames)
{
	(void)view_source_refresh(&session->source);
	if (frames == 0) {
		view_jump_end(session);
		return;
	}
	view_begin_job(session, VIEW_JOB_BACK);
	session->job_number = frames;
	session->scan = (struct view_scan){.cursor = session->source.end,
	                                   .backwards = true};
}

void view_go_to(struct view_session *session, const char *text)
{
	uint64_t data_offset = shmlog_data_offset(session->source.log);
	struct cli_position position;

	if (cli_position_parse(text, &position) != CLI_OK)
		return;
	switch (position.kind) {
	case CLI_POSITION_START: view_jump(session, 0); break;
	case CLI_POSITION_END: view_jump_end(session); break;
	case CLI_POSITION_CURSOR: go_to_cursor(session, position.number); break;
	case CLI_POSITION_OFFSET:
		if (position.number >= data_offset)
			go_to_cursor(session, position.number - data_offset);
		else
			view_say(session,
			         "no frame starts at offset %" PRIu64
			         ": the data begins at %" PRIu64,
			         position.number, data_offset);
		break;
	case CLI_POSITION_FROM_END: go_back(session, position.number); break;
	case CLI_POSITION_INDEX: go_to_number(session, position.number); break;
	}
}

/* ---------------------------------------------------- searches and filters */

static void begin_search(struct view_session *session, bool backwards)
{
	const struct view_row *row = view_list_selected(&session->list);

	view_begin_job(session, VIEW_JOB_SEARCH);
	session->scan = (struct view_scan){
		.cursor = row == NULL ? session->source.end
	                  : backwards ? row->cursor
	                              : row->next_cursor,
		.backwards = backwards,
	};
}

void view_search_on(struct view_session *session, bool backwards)
{
	if (session->search == NULL) {
		view_say(session, "nothing was searched for: / begins one");
		return;
	}
	begin_search(session, backwards);
}

void view_set_search(struct view_session *session, const char *pattern,
                     bool backwards)
{
	struct cli_filter *search;

	/* As in less, an empty pattern is the last one. */
	if (*pattern != '\0') {
		if (cli_filter_of_pattern(&search, pattern, &session->typed) !=
		    CLI_OK)
			return;
		cli_filter_free(session->search);
		session->search = search;
		cli_filter_show_matches(search, &session->matches);
		(void)strncpy(session->search_text, pattern,
		              sizeof(session->search_text) - 1);
		session->pane_cursor = VIEW_NOWHERE;
	}
	session->search_backwards = backwards;
	view_search_on(session, backwards);
}

void view_set_filter(struct view_session *session, const char *pattern)
{
	struct cli_filter *filter = NULL;
	uint64_t here = view_here(session);

	if (*pattern != '\0' &&
	    cli_filter_of_pattern(&filter, pattern, &session->typed) != CLI_OK)
		return;
	cli_filter_free(session->judge.filters[1]);
	session->judge.filters[1] = filter;
	(void)strncpy(session->filter_text, pattern,
	              sizeof(session->filter_text) - 1);
	view_list_begin(&session->list, here, session->list.height / 3);
	view_say(session, filter != NULL
	                          ? "frames that match alone; & without a "
	                            "pattern shows all again"
	                          : "all frames");
}

/* --------------------------------------------------------------------- work */

static bool finish(struct view_session *session)
{
	session->job = VIEW_JOB_NONE;
	return false;
}

static bool search(struct view_session *session, int64_t until_ns)
{
	struct view_judge judge = session->judge;
	struct view_row row;

	judge.filters[2] = session->search;
	judge.passes_damage = false;
	judge.unjudged = 0;
	switch (view_scan_next(&session->scan, &session->source, &judge,
	                       until_ns, &row, NULL)) {
	case VIEW_LATER: return true;
	case VIEW_FOUND: view_jump(session, row.cursor); break;
	case VIEW_END:
		view_say(session, "not found up to the %s of the log: %s",
		         session->scan.backwards ? "start" : "end",
		         session->search_text);
		break;
	case VIEW_FAILED: break;
	}
	return finish(session);
}

/* Counting goes on by itself: this waits until it has come far enough. */
static bool wait_for_number(struct view_session *session)
{
	uint64_t cursor;

	if (view_source_frame(&session->source, session->job_number, &cursor)) {
		view_jump(session, cursor);
		return finish(session);
	}
	if (session->source.trouble == 0 &&
	    !view_source_is_counted(&session->source))
		return false;
	view_say(session,
	         "no frame:%" PRIu64 ": the log has %" PRIu64
	         " frames, counted from 0",
	         session->job_number, session->source.index.frames);
	return finish(session);
}

static bool walk_back(struct view_session *session, int64_t until_ns)
{
	struct view_row row;

	for (unsigned turn = 1; session->job_number > 0; turn++) {
		int status = view_source_prev(&session->source,
		                              session->scan.cursor, &row, NULL);

		if (status <= 0) {
			view_jump(session, 0);
			view_say(session, "the log has fewer frames than that");
			return finish(session);
		}
		session->scan.cursor = row.cursor;
		session->job_number -= row.is_damage ? 0 : 1;
		if (turn % 256 == 0 && cli_now_ns() > until_ns)
			return true;
	}
	view_jump(session, session->scan.cursor);
	return finish(session);
}

static bool wait_for_damage(struct view_session *session, bool below)
{
	const struct view_source *source = &session->source;
	const struct view_index *index = &source->index;
	uint64_t from = session->job_from;
	const struct view_damage *damage =
		below ? view_index_damage_from(index, from + 1)
		      : view_index_damage_before(index, from);
	bool known = view_source_is_counted(source) || source->trouble != 0;

	known |= below ? damage != NULL : index->at >= from;
	if (!known)
		return false;
	if (damage == NULL && source->trouble == 0 &&
	    cli_now_ns() >= session->recount_due_ns) {
		/* It may have been done since the frames were counted. */
		view_recount(session);
		return false;
	}
	if (damage != NULL)
		view_jump(session, damage->begin);
	else
		view_say(session, "no damage %s", below ? "below" : "above");
	return finish(session);
}

bool view_work_on_job(struct view_session *session, int64_t until_ns)
{
	switch (session->job) {
	case VIEW_JOB_SEARCH: return search(session, until_ns);
	case VIEW_JOB_NUMBER: return wait_for_number(session);
	case VIEW_JOB_BACK: return walk_back(session, until_ns);
	case VIEW_JOB_DAMAGE_BELOW: return wait_for_damage(session, true);
	case VIEW_JOB_DAMAGE_ABOVE: return wait_for_damage(session, false);
	case VIEW_JOB_EXPORT:
		if (view_export_work(session->export, &session->judge,
		                     until_ns))
			return true;
		session->export = NULL;
		return finish(session);
	default: return false;
	}
}
