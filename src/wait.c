/* Sleeping until a log grows, and waking those who sleep. */
#include "poll_schedule.h"
#include "reader.h"
#include "sys.h"

#include <errno.h>
#include <sched.h>

#define DEFAULT_MAX_POLL_NS 200000000
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

/* How news came to be seen after a result of shmlog_sys_wait(); `before` is how
 * they would have been before that. */
static enum shmlog_poll_found found_by(int status,
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
		int64_t pause = least(shmlog_poll_pause(&reader->schedule, now),
		                      max_poll_ns);
		int news = 0;

		if (timeout_ns >= 0)
			pause = least(pause, timeout_ns - (now - start));
		int status = shmlog_sys_wait(
			word, reader->log->data_offset + reader->committed,
			pause);

		now = shmlog_sys_now_ns();
		bool over = timeout_ns >= 0 && now - start >= timeout_ns;

		found = found_by(status, found);
		if (status > 0) {
			news = look_for_announced(reader);
		} else if (status < 0 || over ||
		           now - looked >= max_poll_ns / 2) {
			news = look(reader);
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
		return look(reader);
	if (reader->held)
		return -EINVAL;
	/* Without a mapping, which not every file system grants, there is
	 * nothing to sleep on: it is polled for. */
	int status = shmlog_size_word(reader->log, &word);

	if (status != 0)
		word = NULL;
	return wait_for_news(reader, word, timeout_ns,
	                     max_poll_ns > 0 ? max_poll_ns
	                                     : DEFAULT_MAX_POLL_NS);
}

/* ------------------------------------------------------- several readers */

/* How seldom readers are looked at that no sleep is on. */
#define BLIND_POLL_NS 50000000
/* How many readers are looked at as often as their writers ask for. */
#define ACTIVE_MAX 64u

/* Readers that one sleep is for. */
struct wait_set {
	struct shmlog_reader *const *readers;
	size_t count;
	/* The sleep is on the words of some of them, at these places. */
	struct shmlog_awaited words[SHMLOG_AWAITED_MAX];
	size_t places[SHMLOG_AWAITED_MAX];
	size_t word_count;
	/* The places of those whose writers store and were active a moment ago,
	 * and of the one of the others that is to be looked at first. */
	size_t active[ACTIVE_MAX];
	size_t active_count;
	size_t other;
	int64_t others_ns;            /* how seldom these are looked at now */
	int64_t looked_ns;            /* when all were looked at */
	size_t which;                 /* the reader that there is news of */
	enum shmlog_poll_found found; /* how news of it were seen */
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

/* Looks at one log, and notes what it finds. */
static int look_at(struct wait_set *set, size_t place, int64_t now)
{
	struct shmlog_reader *reader = set->readers[place];
	uint64_t before = reader->committed;
	int news = look(reader);

	if (news > 0 && reader->committed != before)
		shmlog_poll_note(&reader->schedule, now, set->found);
	if (news != 0)
		set->which = place;
	return news;
}

/*
 * Looks at all logs.  1 if one has grown, whose place becomes set->which; 0; or
 * a refusal of the reader at that place.
 */
static int look_at_all(struct wait_set *set, int64_t now)
{
	size_t first = set->count;

	set->looked_ns = now;
	for (size_t i = 0; i < set->count; i++) {
		int found = look_at(set, i, now);

		if (found < 0)
			return found;
		if (found > 0 && first == set->count)
			first = i;
	}
	if (first == set->count)
		return 0;
	set->which = first;
	return 1;
}

/* The same for those that were active a moment ago. */
static int look_at_active(struct wait_set *set, int64_t now)
{
	int news = 0;

	for (size_t i = 0; i < set->active_count && news == 0; i++)
		news = look_at(set, set->active[i], now);
	return news;
}

/* Sorts the readers by what their schedules ask for. */
static void find_active(struct wait_set *set, int64_t now)
{
	int64_t least_pause = INT64_MAX;

	set->active_count = 0;
	for (size_t i = 0; i < set->count; i++) {
		struct shmlog_poll_schedule *schedule =
			&set->readers[i]->schedule;

		shmlog_poll_begin(schedule, now);
		if (shmlog_poll_is_active(schedule, now) &&
		    set->active_count < ACTIVE_MAX) {
			set->active[set->active_count++] = i;
			continue;
		}
		int64_t pause = shmlog_poll_pause(schedule, now);

		if (pause < least_pause)
			set->other = i;
		least_pause = least(least_pause, pause);
	}
}

/* Whether there are readers that no sleep is on. */
static bool has_blind(const struct wait_set *set)
{
	return set->word_count != set->count;
}

/* How long to sleep. */
static int64_t find_pause(struct wait_set *set, int64_t now)
{
	int64_t pause = INT64_MAX;

	if (set->active_count < set->count)
		pause = shmlog_poll_pause(&set->readers[set->other]->schedule,
		                          now);
	if (has_blind(set))
		pause = least(pause, BLIND_POLL_NS);
	set->others_ns = pause;
	for (size_t i = 0; i < set->active_count; i++) {
		const struct shmlog_reader *reader =
			set->readers[set->active[i]];

		pause = least(pause, shmlog_poll_pause(&reader->schedule, now));
	}
	return pause;
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
	return shmlog_sys_wait(NULL, 0, pause);
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

/* Looks after a sleep that ended with `status`. */
static int look_after_sleep(struct wait_set *set, int status, size_t woken,
                            int64_t most_ns)
{
	int64_t now = shmlog_sys_now_ns();
	int64_t since_ns = now - set->looked_ns;
	int news = 0;

	set->found = found_by(status, set->found);
	if (status == 1) {
		set->which = woken;
		news = look_for_announced(set->readers[woken]);
		if (news > 0)
			shmlog_poll_note(&set->readers[woken]->schedule, now,
			                 set->found);
		return news;
	}
	/* After a sleep that ended by itself this can wait: the next one
	 * compares all words first, and does not begin where one of them has
	 * changed. */
	if ((status < 0 && status != -ENOSYS) || since_ns >= most_ns ||
	    (has_blind(set) && since_ns >= set->others_ns))
		return look_at_all(set, now);
	return has_blind(set) ? look_at_active(set, now) : 0;
}

/* Sleeps until there is news: a result of shmlog_reader_wait_any(). */
static int wait_for_any(struct wait_set *set, int64_t timeout_ns,
                        int64_t max_poll_ns)
{
	int64_t start = shmlog_sys_now_ns();

	set->looked_ns = start;
	set->found = SHMLOG_FOUND_AT_ONCE;
	find_active(set, start);
	for (int64_t now = start;;) {
		int64_t pause = least(find_pause(set, now), max_poll_ns);
		size_t woken = 0;

		if (timeout_ns >= 0)
			pause = least(pause, timeout_ns - (now - start));
		int status = sleep_on_words(set, pause, &woken);

		now = shmlog_sys_now_ns();
		bool over = timeout_ns >= 0 && now - start >= timeout_ns;
		int news = look_after_sleep(set, status, woken,
		                            over ? 0 : max_poll_ns);

		if (news != 0)
			return news;
		if (status < 0 && status != -EAGAIN && status != -ENOSYS)
			return status;
		if (over)
			return 0;
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
		status = wait_for_any(&set, timeout_ns,
		                      max_poll_ns > 0 ? max_poll_ns
		                                      : DEFAULT_MAX_POLL_NS);
	} else if (status >= 0 || (timeout_ns == 0 && count > 0)) {
		status = look_at_all(&set, shmlog_sys_now_ns());
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
