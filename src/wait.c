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
	return status != 0 ? status : reader->committed > reader->fast.cursor;
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

	shmlog_reader_show(reader);
	if (timeout_ns == 0 || reader->committed > reader->fast.cursor)
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

/* ------------------------------------------------------- several readers */

/* How seldom readers are looked at that no sleep is on. */
#define BLIND_POLL_NS 50000000

/* Readers that one sleep is for. */
struct wait_set {
	struct shmlog_reader *const *readers;
	size_t count;
	/* The sleep is on the words of some of them, at these places. */
	struct shmlog_awaited words[SHMLOG_AWAITED_MAX];
	size_t places[SHMLOG_AWAITED_MAX];
	size_t word_count;
	size_t which; /* the reader that there is news of */
};

/* Finds the words to sleep on. */
static void find_words(struct wait_set *set)
{
	set->word_count = 0;
	for (size_t i = 0;
	     i < set->count && set->word_count < SHMLOG_AWAITED_MAX; i++) {
		const _Atomic uint64_t *word;

		if (shmlog_size_word(set->readers[i]->log, &word) != 0)
			continue;
		set->words[set->word_count].word = word;
		set->places[set->word_count++] = i;
	}
}

/*
 * Looks at all logs.  1 if one has grown, whose place becomes set->which; 0; or
 * a refusal of the reader at that place.
 */
static int look_at_all(struct wait_set *set)
{
	int news = 0;

	for (size_t i = 0; i < set->count; i++) {
		int found = look(set->readers[i]);

		if (found == 0 || (found > 0 && news > 0))
			continue;
		set->which = i;
		if (found < 0)
			return found;
		news = found;
	}
	return news;
}

/* How long ago the latest news of all were. */
static int64_t least_idle(const struct wait_set *set)
{
	int64_t idle_ns = INT64_MAX;

	for (size_t i = 0; i < set->count; i++)
		idle_ns = least(idle_ns, set->readers[i]->idle_ns);
	return idle_ns;
}

/* Sleeps once: a result of shmlog_sys_wait_any(). */
static int sleep_on_words(struct wait_set *set, int64_t pause,
                          size_t *woken_out)
{
	for (size_t i = 0; i < set->word_count; i++) {
		const struct shmlog_reader *reader =
			set->readers[set->places[i]];

		set->words[i].expected = reader->log->data_offset +
		                         reader->committed;
	}
	int status = set->word_count == 0
	                     ? -ENOSYS
	                     : shmlog_sys_wait_any(set->words, set->word_count,
	                                           pause, woken_out);

	if (status == 1)
		*woken_out = set->places[*woken_out];
	if (status != -ENOSYS)
		return status;
	/* Until the end of this call, all readers are polled for. */
	set->word_count = 0;
	status = shmlog_sys_wait(NULL, 0, pause);
	return status;
}

/* Whether nothing is committed behind any cursor yet, as far as is known; or
 * -EINVAL, if a reader could see nothing else. */
static int check_set(const struct wait_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->readers[i]->committed > set->readers[i]->fast.cursor)
			return 1;
	}
	for (size_t i = 0; i < set->count; i++) {
		if (set->readers[i]->held)
			return -EINVAL;
	}
	return set->count == 0 ? -EINVAL : 0;
}

/* Sleeps until there is news: a result of shmlog_reader_wait_any(). */
static int wait_for_news(struct wait_set *set, int64_t timeout_ns,
                         int64_t max_poll_ns)
{
	int64_t start = shmlog_sys_now_ns();
	int64_t looked = start;
	int64_t before_ns = least_idle(set);

	for (int64_t now = start;;) {
		bool all_words = set->word_count == set->count;
		int64_t idle_ns = before_ns + (now - start);
		int64_t pause = least(FIRST_POLL_NS + idle_ns / 8, max_poll_ns);
		size_t woken = 0;

		if (!all_words)
			pause = least(pause, BLIND_POLL_NS);
		if (timeout_ns >= 0)
			pause = least(pause, timeout_ns - (now - start));
		int status = sleep_on_words(set, pause, &woken);
		int news = 0;

		now = shmlog_sys_now_ns();
		bool due = now - looked >= max_poll_ns ||
		           (timeout_ns >= 0 && now - start >= timeout_ns);

		if (status == 1) {
			set->which = woken;
			news = look_for_announced(set->readers[woken]);
		} else if (status != 0 || due ||
		           set->word_count != set->count) {
			/* After a sleep that ended by itself this can wait:
			 * the next one compares all words first, and does not
			 * begin where one of them has changed. */
			news = look_at_all(set);
			looked = now;
		}
		if (news != 0) {
			/* The others are not touched: they are out of the
			 * caches, and it is the latest news that count. */
			set->readers[set->which]->idle_ns =
				status == 1 ? WOKEN_IDLE_NS : 0;
			return news;
		}
		bool over = timeout_ns >= 0 && now - start >= timeout_ns;

		if (!over && (status >= 0 || status == -EAGAIN))
			continue;
		for (size_t i = 0; i < set->count; i++)
			set->readers[i]->idle_ns += now - start;
		return status < 0 && status != -EAGAIN ? status : 0;
	}
}

int shmlog_reader_wait_any(struct shmlog_reader *const *readers, size_t count,
                           int64_t timeout_ns, int64_t max_poll_ns,
                           size_t *which_out)
{
	struct wait_set set = {.readers = readers, .count = count};
	int status = check_set(&set);

	*which_out = 0;
	if (count == 1)
		return shmlog_reader_wait(readers[0], timeout_ns, max_poll_ns);
	for (size_t i = 0; i < count; i++)
		shmlog_reader_show(readers[i]);
	if (status == 0 && timeout_ns != 0) {
		find_words(&set);
		status = wait_for_news(&set, timeout_ns,
		                       max_poll_ns > 0 ? max_poll_ns
		                                       : DEFAULT_MAX_POLL_NS);
	} else if (status >= 0 || (timeout_ns == 0 && count > 0)) {
		status = look_at_all(&set);
	}
	*which_out = set.which;
	return status;
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
