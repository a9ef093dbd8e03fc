/* Gathers facts about the log, as lines. */
#include "view_facts.h"

#include "rows.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FACTS_MAX 64u
/* Damages and processes that are listed. */
#define LISTED 16u

__attribute__((format(printf, 2, 3))) static void
add(struct view_session *session, const char *format, ...)
{
	char line[VIEW_MESSAGE_BYTES];
	va_list args;

	if (session->facts == NULL)
		session->facts = calloc(FACTS_MAX, sizeof(*session->facts));
	if (session->facts == NULL || session->fact_count == FACTS_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	session->facts[session->fact_count] = strdup(line);
	if (session->facts[session->fact_count] != NULL)
		session->fact_count++;
}

static void add_sizes(struct view_session *session)
{
	struct shmlog_header header;
	struct cli_scaled_text used, all;
	int status = shmlog_read_header(session->source.log, &header);

	add(session, "log          %s", session->path);
	if (status < -4096 || status == 0) {
		uint64_t room = header.capacity > header.data_offset
		                        ? header.capacity - header.data_offset
		                        : 0;

		add(session, "capacity     %" PRIu64 " bytes (%s)",
		    header.capacity,
		    cli_scale_bytes(&all, (double)header.capacity));
		add(session, "committed    %" PRIu64 " bytes (%s), %.2f %%",
		    session->source.end,
		    cli_scale_bytes(&used, (double)session->source.end),
		    cli_used_percent(session->source.end, room));
		add(session, "data offset  %" PRIu64, header.data_offset);
	}
	if (status != 0)
		add(session, "header       %s", shmlog_strerror(status));
}

static void add_frames(struct view_session *session)
{
	const struct view_source *source = &session->source;
	const struct view_index *index = &source->index;
	bool counted = view_source_is_counted(source);

	add(session, "frames       %s%" PRIu64 "%s", counted ? "" : "~",
	    counted ? index->frames : view_index_estimate(index, source->end),
	    counted ? "" : ", not counted to the end yet");
	if (index->frames > 0)
		add(session, "mean size    %.1f bytes",
		    (double)index->at / (double)index->frames);
	add(session, "damage       %" PRIu64 " range%s%s", index->damages_met,
	    index->damages_met == 1 ? "" : "s",
	    counted ? "" : " in what is counted");
	for (size_t i = 0; i < index->damage_count && i < LISTED; i++)
		add(session, "             %" PRIu64 " to %" PRIu64 ": %s",
		    index->damages[i].begin, index->damages[i].end,
		    index->damages[i].text);
}

static int add_process(void *context, const struct shmlog_process *process)
{
	struct view_session *session = context;

	add(session, "%s       pid %" PRId64 " (%s)%s",
	    process->writes ? "writer" : "reader", process->pid,
	    process->command, process->holds_lock ? ", has the lock" : "");
	return session->fact_count + 4 >= FACTS_MAX;
}

void view_facts_gather(struct view_session *session)
{
	int unseen;

	view_drop_facts(session);
	add_sizes(session);
	add_frames(session);
	unseen = shmlog_processes(session->source.log, add_process, session);
	if (unseen < 0)
		add(session, "processes    cannot be listed: %s",
		    shmlog_strerror(unseen));
	else if (unseen > 0)
		add(session, "processes    %d more cannot be looked into",
		    unseen);
	add(session, "the screen   cursor %" PRIu64 ", pane: %s",
	    view_here(session), view_pane_name(&session->pane));
	if (session->filter_text[0] != '\0')
		add(session, "filter       %s", session->filter_text);
	if (session->search_text[0] != '\0')
		add(session, "search       %s", session->search_text);
	if (session->judge.unjudged > 0)
		add(session,
		    "not judged   %" PRIu64
		    " frames, over the limit of a pattern",
		    session->judge.unjudged);
}
