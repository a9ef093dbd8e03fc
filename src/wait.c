/* Sleeping until a log grows, and waking those who sleep. */
#include "platform.h"
#include "reader.h"

#include <time.h>

#define NS_PER_SECOND 1000000000
#define FIRST_POLL_NS 100000
#define DEFAULT_MAX_POLL_NS 50000000

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

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

int shmlog_reader_wait(struct shmlog_reader *reader, int64_t timeout_ns,
                       int64_t max_poll_ns)
{
	const _Atomic uint64_t *word;
	int64_t start = now_ns();
	int status = look(reader);

	if (status != 0 || timeout_ns == 0)
		return status;
	status = shmlog_size_word(reader->log, &word);
	if (status != 0)
		return status;
	if (max_poll_ns <= 0)
		max_poll_ns = DEFAULT_MAX_POLL_NS;
	for (;;) {
		int64_t waited = now_ns() - start;

		if (timeout_ns >= 0 && waited >= timeout_ns)
			return 0;
		/* An eighth of the time that has passed without news: a poll
		 * is late by at most that much, and the looks of a silent
		 * hour are few. */
		int64_t pause = FIRST_POLL_NS + reader->idle_ns / 8;

		pause = least(pause, max_poll_ns);
		if (timeout_ns >= 0)
			pause = least(pause, timeout_ns - waited);
		status = shmlog_platform_wait(
			word, reader->log->data_offset + reader->committed,
			pause);
		reader->idle_ns += pause;
		int news = look(reader);

		if (news != 0) {
			reader->idle_ns = 0;
			return news;
		}
		if (status != 0)
			return status;
	}
}

int shmlog_wake(struct shmlog *log)
{
	const _Atomic uint64_t *word;
	int status = shmlog_size_word(log, &word);

	return status == 0 ? shmlog_platform_wake(word) : status;
}
