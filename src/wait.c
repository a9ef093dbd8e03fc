/* Sleeping until a log grows, and waking those who sleep. */
#include "reader.h"
#include "sys.h"

#include <errno.h>
#include <sched.h>

#define FIRST_POLL_NS 100000
#define DEFAULT_MAX_POLL_NS 200000000
/* After news from a writer that wakes, polls are a mere safeguard: they begin
 * as if that much time had passed, 0.6 ms apart.  Much later would do, at half
 * the processor time of a follow at 20 lines a second (0.3 % for 0.8), but they
 * keep the processor's sleep shallow: what comes 1 to 5 ms after the last news
 * is through 5 to 10 % sooner. */
#define WOKEN_IDLE_NS 4000000
/* How long to look for the commit that was announced.  From waking up to that
 * it is 10 microseconds or less, unless the writer is interrupted. */
#define ANNOUNCED_NS 50000

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * Looks at the log: 1 if it has grown beyond the cursor, 0 if not yet, or a
 * refusal, also where the file was cut without a change of `size`.
 */
static int look(struct shmlog_reader *reader)
{
	int status = shmlog_reader_refresh(reader);

	if (status == 0 && reader->mapping != NULL)
		status = shmlog_check_length(reader->log->fd,
		                             reader->log->data_offset +
		                                     reader->committed);
	return status != 0 ? status : reader->committed > reader->cursor;
}

/*
 * After a wake: looks at the log, and again for a while if there is nothing,
 * as a commit may have been announced.  The writer may need this processor to
 * make it.
 */
static int look_for_announced(struct shmlog_reader *reader)
{
	int news = look(reader);

	if (news != 0)
		return news;
	int64_t start = shmlog_sys_now_ns();

	do {
		sched_yield();
		news = look(reader);
	} while (news == 0 && shmlog_sys_now_ns() - start < ANNOUNCED_NS);
	return news;
}

int shmlog_reader_wait(struct shmlog_reader *reader, int64_t timeout_ns,
                       int64_t max_poll_ns)
{
	const _Atomic uint64_t *word;
	int64_t start = shmlog_sys_now_ns();

	if (timeout_ns == 0 || reader->committed > reader->cursor)
		return look(reader);
	if (reader->held)
		return -EINVAL;
	/* Without a mapping, which not every file system grants, there is
	 * nothing to sleep on: it is polled for. */
	int status = shmlog_size_word(reader->log, &word);

	if (status != 0)
		word = NULL;
	if (max_poll_ns <= 0)
		max_poll_ns = DEFAULT_MAX_POLL_NS;
	/* The first sleep looks at the word before it begins. */
	for (int64_t waited = 0;;) {
		/* An eighth of the time that has passed without news: a poll
		 * is late by at most that much, and the looks of a silent
		 * hour are few. */
		int64_t pause = FIRST_POLL_NS + reader->idle_ns / 8;

		pause = least(pause, max_poll_ns);
		if (timeout_ns >= 0)
			pause = least(pause, timeout_ns - waited);
		status = shmlog_sys_wait(
			word, reader->log->data_offset + reader->committed,
			pause);
		reader->idle_ns += pause;
		int news = status > 0 ? look_for_announced(reader)
		                      : look(reader);

		if (news != 0) {
			reader->idle_ns = status > 0 ? WOKEN_IDLE_NS : 0;
			return news;
		}
		if (status < 0)
			return status;
		waited = shmlog_sys_now_ns() - start;
		if (timeout_ns >= 0 && waited >= timeout_ns)
			return 0;
	}
}

int shmlog_wake(struct shmlog *log)
{
	const _Atomic uint64_t *word;
	int status = shmlog_size_word(log, &word);

	/* Where nobody can map the log, nobody sleeps on it. */
	if (shmlog_is_unmappable(status))
		return 0;
	return status == 0 ? shmlog_sys_wake(word) : status;
}
