/* Sleeping until a log grows, and waking those who sleep. */
#include "wait.h"

#include <errno.h>
#include <sched.h>

/* How long to look for the commit that was announced.  From waking up to that
 * it is 10 microseconds or less, unless the writer is interrupted. */
#define ANNOUNCED_NS 50000

int shmlog_wait_look(struct shmlog_reader *reader)
{
	int status = shmlog_reader_refresh(reader);

	if (status == 0 && reader->mapping != NULL)
		status = shmlog_check_length(reader->log->fd,
		                             reader->log->data_offset +
		                                     reader->committed);
	return status != 0 ? status : reader->committed > reader->fast.cursor;
}

/* The writer may need this processor to make the commit that it announced. */
int shmlog_wait_look_again(struct shmlog_reader *reader)
{
	int news = shmlog_wait_look(reader);

	if (news != 0)
		return news;
	int64_t start = shmlog_sys_now_ns();

	do {
		sched_yield();
		news = shmlog_wait_look(reader);
	} while (news == 0 && shmlog_sys_now_ns() - start < ANNOUNCED_NS);
	return news;
}

enum shmlog_poll_found shmlog_wait_found_by(int status,
                                            enum shmlog_poll_found before)
{
	if (status == -EAGAIN)
		return before;
	return status > 0 ? SHMLOG_FOUND_BY_A_WAKE : SHMLOG_FOUND_BY_A_POLL;
}

/*
 * Sleeps until there is news: a result of shmlog_reader_wait().  A sleep begins
 * only where the word is as expected, so that the next sleep is the look that
 * is due after one that has passed, at the price of no other call; only now and
 * then the file itself is looked at.
 */
static int wait_for_news(struct shmlog_reader *reader,
                         const _Atomic uint64_t *word, int64_t timeout_ns,
                         int64_t max_poll_ns)
{
	enum shmlog_poll_found found = SHMLOG_FOUND_AT_ONCE;
	int64_t start = shmlog_sys_now_ns();
	int64_t looked = start;

	shmlog_poll_begin(&reader->schedule, start);
	for (int64_t now = start;;) {
		int64_t pause = shmlog_wait_least(
			shmlog_poll_pause(&reader->schedule, now), max_poll_ns);
		int news = 0;

		if (timeout_ns >= 0)
			pause = shmlog_wait_least(pause,
			                          timeout_ns - (now - start));
		int64_t slept_from = now;
		int status = shmlog_sys_wait(
			word, reader->log->data_offset + reader->committed,
			pause);

		now = shmlog_sys_now_ns();
		if (status == 0)
			shmlog_poll_slept(&reader->schedule,
			                  now - slept_from - pause);
		bool over = timeout_ns >= 0 && now - start >= timeout_ns;

		found = shmlog_wait_found_by(status, found);
		if (status > 0) {
			news = shmlog_wait_look_again(reader);
			if (news == 0)
				shmlog_poll_woken(&reader->schedule);
		} else if (status < 0 || over ||
		           now - looked >= max_poll_ns / 2) {
			news = shmlog_wait_look(reader);
			looked = now;
		}
		if (news > 0)
			shmlog_poll_note(&reader->schedule, now, found);
		if (news != 0)
			return news;
		if (status < 0 && status != -EAGAIN && status != -ENOSYS)
			return status;
		if (over)
			return 0;
	}
}

int shmlog_reader_wait(struct shmlog_reader *reader, int64_t timeout_ns,
                       int64_t max_poll_ns)
{
	const _Atomic uint64_t *word;

	shmlog_reader_show(reader);
	if (timeout_ns == 0 || reader->committed > reader->fast.cursor)
		return shmlog_wait_look(reader);
	if (reader->held)
		return -EINVAL;
	/* Without a mapping, which not every file system grants, there is
	 * nothing to sleep on: it is polled for. */
	int status = shmlog_size_word(reader->log, &word);

	if (status != 0)
		word = NULL;
	return wait_for_news(reader, word, timeout_ns,
	                     max_poll_ns > 0 ? max_poll_ns
	                                     : SHMLOG_WAIT_MAX_POLL_NS);
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
