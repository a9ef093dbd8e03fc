/*
 * Sleeping until one of several logs grows.  One sleep can be on 128 words; of
 * more readers than that the first are slept on here, and the rest by threads.
 */
#include "sleepers.h"
#include "wait.h"

#include <errno.h>
#include <stdlib.h>

/* How seldom readers are looked at that no sleep is on. */
#define BLIND_POLL_NS 50000000
/* How many readers are looked at as often as their writers ask for. */
#define ACTIVE_MAX 64u
/* How many readers that threads sleep for are looked at in turn, lest one of
 * their files was cut. */
#define TURN_MAX 128u
/* How often threads compare the words that they sleep on: one word costs them
 * 1.5 microseconds, as the system has to find its page. */
#define FAR_POLL_NS 200000000
#define FAR_POLL_A_WORD_NS 400000
#define FAR_POLL_MOST_NS 2000000000
/* The place of the bell, which is nobody's. */
#define BELL SIZE_MAX

/* Readers that one sleep is for. */
struct wait_set {
	struct shmlog_reader *const *readers;
	size_t count;
	/* The sleep is on the words of some of them, at these places. */
	struct shmlog_awaited words[SHMLOG_AWAITED_MAX];
	size_t places[SHMLOG_AWAITED_MAX];
	size_t word_count;
	/* The threads that sleep for the others, or NULL; how many readers they
	 * do it for; and their bell. */
	struct shmlog_sleepers *sleepers;
	size_t far_count;
	int64_t far_poll_ns;
	struct shmlog_awaited bell;
	/* The places of those whose writers store and were active a moment ago,
	 * and of the one of the others that is to be looked at first. */
	size_t active[ACTIVE_MAX];
	size_t active_count;
	size_t other;
	int64_t others_ns;            /* how seldom these are looked at now */
	size_t which;                 /* the reader that there is news of */
	enum shmlog_poll_found found; /* how news of it were seen */
};

/* When all were looked at, also by earlier calls: with one busy log each call
 * is over soon, and the others have their turn all the same. */
static int64_t *looked_ns(const struct wait_set *set)
{
	return &set->readers[0]->crowd.looked_ns;
}

/* Finds the words to sleep on here. */
static void find_words(struct wait_set *set)
{
	size_t most = set->sleepers != NULL ? SHMLOG_GROUP_MAX
	                                    : SHMLOG_AWAITED_MAX;
	size_t near = set->sleepers != NULL ? SHMLOG_GROUP_MAX : set->count;

	set->word_count = 0;
	for (size_t i = 0; i < near && set->word_count < most; i++) {
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
	int news = shmlog_wait_look(reader);

	if (news > 0 && reader->committed != before)
		shmlog_poll_note(&reader->schedule, now, set->found);
	if (news != 0)
		set->which = place;
	return news;
}

/* The same after a wake. */
static int look_at_woken(struct wait_set *set, size_t place, int64_t now)
{
	struct shmlog_reader *reader = set->readers[place];
	int news = shmlog_wait_look_again(reader);

	if (news == 0)
		shmlog_poll_woken(&reader->schedule);
	if (news > 0)
		shmlog_poll_note(&reader->schedule, now, set->found);
	if (news != 0)
		set->which = place;
	return news;
}

/* What words are to be until there is news. */
static void set_expected(const struct wait_set *set,
                         struct shmlog_awaited *words, const size_t *places,
                         size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct shmlog_reader *reader = set->readers[places[i]];

		words[i].expected = reader->log->data_offset +
		                    reader->committed;
	}
}

/*
 * Looks at all logs.  1 if one has grown, whose place becomes set->which; 0; or
 * a refusal of the reader at that place.
 */
static int look_at_all(struct wait_set *set, int64_t now)
{
	size_t first = set->count;

	*looked_ns(set) = now;
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
		least_pause = shmlog_wait_least(least_pause, pause);
	}
}

/* Whether there are readers that no sleep is on. */
static bool has_blind(const struct wait_set *set)
{
	return set->word_count + set->far_count != set->count;
}

/* ---------------------------------------------------------------- threads */

/* Whether the threads have the words of just these readers. */
static bool is_seated(const struct wait_set *set)
{
	int64_t since = shmlog_sleepers_since(set->sleepers);
	size_t end = (shmlog_sleepers_count(set->sleepers) + 1) *
	             SHMLOG_GROUP_MAX;

	if (set->readers[0]->crowd.count != set->count)
		return false;
	for (size_t i = SHMLOG_GROUP_MAX; i < end && i < set->count; i++) {
		const struct shmlog_seat *seat = &set->readers[i]->seat;

		if (seat->sleepers != set->sleepers ||
		    seat->since_ns != since || seat->place != i)
			return false;
	}
	return true;
}

/* Gives a thread the words of its readers: those that cannot be slept on are
 * left out. */
static void seat_group(struct wait_set *set, size_t number)
{
	struct shmlog_group *group = shmlog_sleepers_group(set->sleepers,
	                                                   number);
	size_t first = (number + 1) * SHMLOG_GROUP_MAX;
	size_t end = first + SHMLOG_GROUP_MAX;

	shmlog_sleepers_recall(set->sleepers, number);
	group->count = 0;
	for (size_t i = first; i < set->count && i < end; i++) {
		struct shmlog_reader *reader = set->readers[i];
		const _Atomic uint64_t *word;

		reader->seat = (struct shmlog_seat){
			.sleepers = set->sleepers,
			.since_ns = shmlog_sleepers_since(set->sleepers),
			.place = i,
		};
		if (shmlog_size_word(reader->log, &word) != 0)
			continue;
		group->words[group->count].word = word;
		group->places[group->count++] = i;
	}
}

/* How often threads compare their words, if the caller has not said it. */
static int64_t far_poll(const struct wait_set *set)
{
	int64_t poll_ns = (int64_t)set->count * FAR_POLL_A_WORD_NS;

	poll_ns = shmlog_wait_least(poll_ns, FAR_POLL_MOST_NS);
	return poll_ns > FAR_POLL_NS ? poll_ns : FAR_POLL_NS;
}

/* Has threads sleep for those readers that no sleep here can be on.  They stay
 * for the next call, and end with the first reader. */
static void find_sleepers(struct wait_set *set, int64_t max_poll_ns)
{
	struct shmlog_crowd *crowd = &set->readers[0]->crowd;
	size_t groups = (set->count - 1) / SHMLOG_GROUP_MAX;

	if (set->count <= SHMLOG_AWAITED_MAX)
		return;
	if (!shmlog_sleepers_fit(crowd->sleepers, groups)) {
		shmlog_sleepers_close(crowd->sleepers);
		crowd->sleepers = shmlog_sleepers_open(groups);
	}
	set->sleepers = crowd->sleepers;
	if (set->sleepers == NULL)
		return;
	bool seated = is_seated(set);

	set->far_poll_ns = far_poll(set);
	if (max_poll_ns > 0)
		set->far_poll_ns = shmlog_wait_least(set->far_poll_ns,
		                                     max_poll_ns);
	bool sooner = set->far_poll_ns < crowd->poll_ns;

	crowd->poll_ns = set->far_poll_ns;
	crowd->count = set->count;
	for (size_t i = 0; i < shmlog_sleepers_count(set->sleepers); i++) {
		if (!seated)
			seat_group(set, i);
		else if (sooner)
			shmlog_sleepers_recall(set->sleepers, i);
		set->far_count +=
			shmlog_sleepers_group(set->sleepers, i)->count;
	}
}

/* Looks at what a thread has reported, as look_at_all() does. */
static int look_at_report(struct wait_set *set, struct shmlog_group *group,
                          const struct shmlog_report *report)
{
	int64_t now = shmlog_sys_now_ns();
	int news = 0;

	if (report->status == 1) {
		set->found = SHMLOG_FOUND_BY_A_WAKE;
		return look_at_woken(set, group->places[report->which], now);
	}
	if (report->status == 0)
		set->found = SHMLOG_FOUND_BY_A_POLL;
	for (size_t i = 0; i < group->count && news == 0; i++)
		news = look_at(set, group->places[i], now);
	if (report->status == -ENOSYS) {
		set->far_count -= group->count;
		group->count = 0;
	}
	return news;
}

/* Looks at all that the threads have reported, and lets them sleep again.  A
 * report that there is no time for is for the next call. */
static int attend_sleepers(struct wait_set *set)
{
	set->bell = shmlog_sleepers_bell(set->sleepers);
	for (size_t i = 0; i < shmlog_sleepers_count(set->sleepers); i++) {
		struct shmlog_group *group = shmlog_sleepers_group(
			set->sleepers, i);
		struct shmlog_report report;

		if (shmlog_sleepers_take_report(set->sleepers, i, &report)) {
			int news = look_at_report(set, group, &report);

			if (news != 0)
				return news;
		}
		if (group->count == 0 ||
		    !shmlog_sleepers_rests(set->sleepers, i))
			continue;
		set_expected(set, group->words, group->places, group->count);
		shmlog_sleepers_sleep(set->sleepers, i, set->far_poll_ns);
	}
	return 0;
}

/* Looks at some of all readers, others each time. */
static int look_at_some(struct wait_set *set, int64_t now)
{
	struct shmlog_crowd *crowd = &set->readers[0]->crowd;
	int news = 0;

	*looked_ns(set) = now;
	for (size_t i = 0; i < TURN_MAX && news == 0; i++) {
		crowd->turn = (crowd->turn + 1) % set->count;
		news = look_at(set, crowd->turn, now);
	}
	return news;
}

/* ---------------------------------------------------------------- sleeping */

/* How long to sleep. */
static int64_t find_pause(struct wait_set *set, int64_t now)
{
	int64_t pause = INT64_MAX;

	if (set->active_count < set->count)
		pause = shmlog_poll_pause(&set->readers[set->other]->schedule,
		                          now);
	if (has_blind(set))
		pause = shmlog_wait_least(pause, BLIND_POLL_NS);
	set->others_ns = pause;
	for (size_t i = 0; i < set->active_count; i++) {
		const struct shmlog_reader *reader =
			set->readers[set->active[i]];

		pause = shmlog_wait_least(
			pause, shmlog_poll_pause(&reader->schedule, now));
	}
	return pause;
}

/* Sleeps once: a result of shmlog_sys_wait_any(). */
static int sleep_on_words(struct wait_set *set, int64_t pause,
                          size_t *woken_out)
{
	size_t count = set->word_count;
	int status = -ENOSYS;

	set_expected(set, set->words, set->places, count);
	if (set->sleepers != NULL)
		set->words[count++] = set->bell;
	if (count > 0)
		status = shmlog_sys_wait_any(set->words, count, pause,
		                             woken_out);
	if (status == 1)
		*woken_out = *woken_out < set->word_count
		                     ? set->places[*woken_out]
		                     : BELL;
	if (status != -ENOSYS)
		return status;
	/* Until the end of this call, all readers are polled for. */
	set->word_count = 0;
	set->far_count = 0;
	set->sleepers = NULL;
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

/* The same where threads sleep for most: what they have seen is reported. */
static int look_at_near(struct wait_set *set, int status, int64_t now)
{
	int news = 0;

	for (size_t i = 0; status != 0 && i < set->word_count && news == 0; i++)
		news = look_at(set, set->places[i], now);
	return news == 0 && status == 0 ? look_at_active(set, now) : news;
}

/* Looks after a sleep that ended with `status`; `most_ns` is how seldom all are
 * to be looked at. */
static int look_after_sleep(struct wait_set *set, int status, size_t woken,
                            int64_t most_ns)
{
	int64_t now = shmlog_sys_now_ns();
	int64_t since_ns = now - *looked_ns(set);

	/* How a thread that rings has found news, its report says. */
	if (status != 1 || woken != BELL)
		set->found = shmlog_wait_found_by(status, set->found);
	if (status == 1 && woken != BELL)
		return look_at_woken(set, woken, now);
	if (most_ns == 0 || (has_blind(set) && since_ns >= set->others_ns))
		return look_at_all(set, now);
	if (set->sleepers != NULL && since_ns < most_ns)
		return status == 1 ? 0 : look_at_near(set, status, now);
	if (set->sleepers != NULL)
		return look_at_some(set, now);
	/* After a sleep that ended by itself this can wait: the next one
	 * compares all words first, and does not begin where one of them has
	 * changed. */
	if ((status < 0 && status != -ENOSYS) || since_ns >= most_ns)
		return look_at_all(set, now);
	return has_blind(set) ? look_at_active(set, now) : 0;
}

/* Sleeps until there is news: a result of shmlog_reader_wait_any(). */
static int wait_for_any(struct wait_set *set, int64_t timeout_ns,
                        int64_t max_poll_ns)
{
	int64_t start = shmlog_sys_now_ns();

	if (*looked_ns(set) == 0)
		*looked_ns(set) = start;
	set->found = SHMLOG_FOUND_AT_ONCE;
	find_active(set, start);
	for (int64_t now = start;;) {
		int64_t pause = shmlog_wait_least(find_pause(set, now),
		                                  max_poll_ns);
		size_t woken = 0;
		int news = set->sleepers == NULL ? 0 : attend_sleepers(set);

		if (news != 0)
			return news;
		if (timeout_ns >= 0)
			pause = shmlog_wait_least(pause,
			                          timeout_ns - (now - start));
		int64_t slept_from = shmlog_sys_now_ns();
		int status = sleep_on_words(set, pause, &woken);

		now = shmlog_sys_now_ns();
		/* The shortest pause was its. */
		if (status == 0)
			shmlog_poll_slept(&set->readers[set->other]->schedule,
			                  now - slept_from - pause);
		bool over = timeout_ns >= 0 && now - start >= timeout_ns;
		news = look_after_sleep(set, status, woken,
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
		find_sleepers(&set, max_poll_ns);
		find_words(&set);
		status = wait_for_any(&set, timeout_ns,
		                      max_poll_ns > 0
		                              ? max_poll_ns
		                              : SHMLOG_WAIT_MAX_POLL_NS);
	} else if (status >= 0 || (timeout_ns == 0 && count > 0)) {
		status = look_at_all(&set, shmlog_sys_now_ns());
	}
	*which_out = set.which;
	return status;
}
