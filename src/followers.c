/* Which processes show how far they have read a log, and how far that is. */
#include "log.h"

#include <string.h>

/* A visit of processes, for one who wants to see followers. */
struct search {
	const struct shmlog *log;
	int (*visit)(void *context, const struct shmlog_follower *);
	void *context;
};

static int visit_process(void *context, const struct shmlog_process *process)
{
	const struct search *search = context;
	uint64_t data_offset = search->log->data_offset;

	if (process->followers == 0)
		return 0;

	struct shmlog_follower follower = {
		.pid = process->pid,
		.uid = process->uid,
		.readers = process->followers,
	};

	/* A reader that is about to show its first place shows 0. */
	if (process->follower_offset > data_offset)
		follower.cursor = process->follower_offset - data_offset;
	_Static_assert(sizeof(follower.command) == sizeof(process->command),
	               "the same text");
	memcpy(follower.command, process->command, sizeof(follower.command));
	return search->visit(search->context, &follower);
}

int shmlog_followers(const struct shmlog *log,
                     int (*visit)(void *context,
                                  const struct shmlog_follower *),
                     void *context)
{
	struct search search = {log, visit, context};

	return shmlog_processes(log, visit_process, &search);
}
