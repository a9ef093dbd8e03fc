/*
 * When a reader looks again at a log whose writer wakes nobody: a writer and a
 * reader that goes by the schedule, on a clock of their own, so that every run
 * finds the same.
 */
#include "poll_schedule.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* How much later a sleep ends than it was to. */
#define LATE_NS 60000
#define FRAMES 4000u
#define WARMUP 24u
#define MICROSECONDS(us) ((int64_t)(us)*1000)

enum rhythm {
	EVEN,
	JITTER,
	RANDOM,
	BURSTS
};

/* What a reader found. */
struct result {
	int64_t p50;
	int64_t p99;
	int64_t most;
	double looks; /* a second */
};

/* A number below 2^32, the same ones each time. */
static uint64_t draw(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 32;
}

/* A span that is `mean` on average, and exponential: ln(2) for each halving of
 * a number, and a straight line between two of them. */
static int64_t draw_span(uint64_t *state, int64_t mean)
{
	int64_t halvings = 0;
	uint64_t bits = draw(state);

	while (halvings < 32 && (bits >> (31 - halvings) & 1) == 0)
		halvings++;
	return mean * 693 * (halvings * 1024 + (int64_t)(draw(state) >> 22)) /
	       1024000;
}

static int64_t next_span(enum rhythm rhythm, int64_t period, unsigned frame,
                         uint64_t *state)
{
	switch (rhythm) {
	case EVEN: return period;
	case JITTER:
		return period * 4 / 5 +
		       (int64_t)draw(state) % (period * 2 / 5 + 1);
	case RANDOM: return draw_span(state, period);
	case BURSTS: return frame % 10 == 0 ? period : MILLISECONDS(1);
	}
	return 0;
}

static int compare(const void *one, const void *other)
{
	int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;

	return (a > b) - (a < b);
}

/* Follows a writer from its first frame on. */
static struct result follow(enum rhythm rhythm, int64_t period)
{
	static int64_t spans[FRAMES];
	struct shmlog_poll_schedule schedule = {0};
	uint64_t state = 1;
	int64_t now = MILLISECONDS(1000), due = now, counted_from = now;
	unsigned looks = 0;

	shmlog_poll_begin(&schedule, now);
	due += next_span(rhythm, period, 0, &state);
	for (unsigned frame = 0; frame < FRAMES + WARMUP;) {
		bool news = false;

		now += shmlog_poll_pause(&schedule, now) + LATE_NS;
		looks++;
		for (; due <= now && frame < FRAMES + WARMUP; frame++) {
			if (frame == WARMUP)
				looks = 0, counted_from = now;
			if (frame >= WARMUP)
				spans[frame - WARMUP] = now - due;
			due += next_span(rhythm, period, frame + 1, &state);
			news = true;
		}
		if (news)
			shmlog_poll_note(&schedule, now,
			                 SHMLOG_FOUND_BY_A_POLL);
	}
	qsort(spans, FRAMES, sizeof(spans[0]), compare);
	return (struct result){
		.p50 = spans[FRAMES / 2],
		.p99 = spans[FRAMES / 100 * 99],
		.most = spans[FRAMES - 1],
		.looks = looks * 1e9 / (double)(now - counted_from),
	};
}

TEST(test_schedule_finds_what_an_active_writer_stores_within_milliseconds)
{
	static const int64_t periods[] = {MICROSECONDS(300), MILLISECONDS(1),
	                                  MILLISECONDS(5),   MILLISECONDS(20),
	                                  MILLISECONDS(50),  MILLISECONDS(300)};

	for (enum rhythm rhythm = EVEN; rhythm <= BURSTS; rhythm++) {
		for (size_t i = 0; i < COUNT_OF(periods); i++) {
			struct result found = follow(rhythm, periods[i]);

			assert_true(found.p50 < MILLISECONDS(1));
			assert_true(found.p99 < MILLISECONDS(3));
			/* 0.3 ms: as often as the shortest pause allows; 50 ms:
			 * 1 % of a processor at 13 microseconds a look. */
			assert_true(found.looks < 6300);
			if (periods[i] >= MILLISECONDS(50) && rhythm != BURSTS)
				assert_true(found.looks < 760);
			/* Less than a quarter of its time is worth a look. */
			if (periods[i] >= MILLISECONDS(50) && rhythm == JITTER)
				assert_true(found.looks < 380);
		}
	}
}

TEST(test_schedule_looks_the_closer_the_shorter_the_period)
{
	assert_true(follow(RANDOM, MILLISECONDS(1)).p50 < MICROSECONDS(250));
	assert_true(follow(RANDOM, MILLISECONDS(5)).p50 < MICROSECONDS(400));
	assert_true(follow(JITTER, MILLISECONDS(1)).p50 < MICROSECONDS(250));
}

/* Also while a reader knows but few of its spans. */
TEST(test_schedule_is_not_led_astray_by_the_first_spans)
{
	unsigned late = 0, frames = 0;

	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct shmlog_poll_schedule schedule = {0};
		int64_t now = MILLISECONDS(1000), due = now;
		uint64_t draws = seed;

		shmlog_poll_begin(&schedule, now);
		for (unsigned frame = 0; frame < 24; frame++) {
			due += next_span(JITTER, MILLISECONDS(300), frame,
			                 &draws);
			while (now < due)
				now += shmlog_poll_pause(&schedule, now) +
				       LATE_NS;
			/* Nobody knows of it before. */
			late += frame > 0 && now - due > MILLISECONDS(3);
			frames++;
			shmlog_poll_note(&schedule, now,
			                 SHMLOG_FOUND_BY_A_POLL);
		}
	}
	assert_true(late * 400 < frames);
}

TEST(test_schedule_expects_a_regular_writer)
{
	struct result found = follow(EVEN, MILLISECONDS(300));

	assert_true(found.p50 < MICROSECONDS(500));
	assert_true(found.looks < 200);
	found = follow(EVEN, MILLISECONDS(50));
	assert_true(found.p50 < MICROSECONDS(500));
	assert_true(found.looks < 350);
}

/* A schedule behind that many frames, the same time apart. */
static struct shmlog_poll_schedule after_frames(unsigned frames, int64_t period,
                                                int64_t *now)
{
	struct shmlog_poll_schedule schedule = {0};

	shmlog_poll_begin(&schedule, *now);
	for (unsigned i = 0; i < frames; i++) {
		*now += period;
		shmlog_poll_note(&schedule, *now, SHMLOG_FOUND_BY_A_POLL);
	}
	return schedule;
}

/* Sleeps until `span` has passed, no pause longer than `most`: how often. */
static unsigned sleep_through(const struct shmlog_poll_schedule *schedule,
                              int64_t span, int64_t most)
{
	int64_t start = schedule->since_ns;
	unsigned looks = 0;

	for (int64_t now = start; now - start < span; looks++) {
		int64_t pause = shmlog_poll_pause(schedule, now);

		assert_true(pause > 0);
		now += (pause < most ? pause : most) + LATE_NS;
	}
	return looks;
}

TEST(test_schedule_lets_a_silent_log_be)
{
	int64_t hour = MILLISECONDS(3600000), minute = MILLISECONDS(60000);
	int64_t now = MILLISECONDS(1000);
	struct shmlog_poll_schedule silent = {0};

	shmlog_poll_begin(&silent, now);
	/* Of which nothing was ever seen: no more than a look an eighth. */
	assert_in_range(sleep_through(&silent, minute, hour), 40, 100);
	assert_in_range(sleep_through(&silent, minute, MILLISECONDS(200)), 300,
	                360);

	struct shmlog_poll_schedule left = after_frames(50, MILLISECONDS(50),
	                                                &now);

	/* Behind an active writer: all of it would be 40,000. */
	assert_in_range(sleep_through(&left, minute, MILLISECONDS(200)), 2000,
	                2700);
	assert_true(shmlog_poll_pause(&left, now + minute) > MILLISECONDS(200));
}

TEST(test_schedule_is_a_safeguard_beside_a_writer_that_wakes)
{
	int64_t now = MILLISECONDS(1000);
	struct shmlog_poll_schedule schedule = after_frames(
		50, MILLISECONDS(50), &now);

	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_WAKE);
	assert_false(shmlog_poll_is_active(&schedule, now));
	assert_int_equal(shmlog_poll_pause(&schedule, now), MICROSECONDS(600));
	assert_int_equal(shmlog_poll_pause(&schedule, now + MILLISECONDS(80)),
	                 MICROSECONDS(10600));
	/* What was there at once says nothing of who it was. */
	now += MILLISECONDS(80);
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_AT_ONCE);
	assert_int_equal(shmlog_poll_pause(&schedule, now), MICROSECONDS(600));
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_POLL);
	assert_true(shmlog_poll_is_active(&schedule, now));
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_AT_ONCE);
	assert_true(shmlog_poll_is_active(&schedule, now));
}

/* A thousand readers that look as soon as one keep everybody from waking up. */
TEST(test_schedule_spares_busy_processors_its_safeguard)
{
	int64_t now = MILLISECONDS(1000);
	struct shmlog_poll_schedule schedule = {0};
	unsigned news = 0;

	shmlog_poll_begin(&schedule, now);
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_WAKE);
	shmlog_poll_slept(&schedule, MICROSECONDS(300));
	shmlog_poll_slept(&schedule, MICROSECONDS(300));
	assert_int_equal(shmlog_poll_pause(&schedule, now), MICROSECONDS(600));
	/* One alone says nothing. */
	shmlog_poll_slept(&schedule, MILLISECONDS(60000));
	shmlog_poll_slept(&schedule, MICROSECONDS(300));
	assert_int_equal(shmlog_poll_pause(&schedule, now), MICROSECONDS(600));
	shmlog_poll_slept(&schedule, MILLISECONDS(3));
	shmlog_poll_slept(&schedule, MILLISECONDS(2));
	assert_in_range(shmlog_poll_pause(&schedule, now), MILLISECONDS(60),
	                MILLISECONDS(70));
	shmlog_poll_slept(&schedule, MILLISECONDS(60000));
	shmlog_poll_slept(&schedule, MILLISECONDS(60000));
	assert_in_range(shmlog_poll_pause(&schedule, now), MILLISECONDS(150),
	                MILLISECONDS(201));
	/* A look in time says nothing: it may be so because there are few. */
	shmlog_poll_slept(&schedule, MICROSECONDS(60));
	shmlog_poll_slept(&schedule, -1);
	assert_true(shmlog_poll_pause(&schedule, now) > MILLISECONDS(150));
	for (; shmlog_poll_pause(&schedule, now) > MICROSECONDS(600); news++) {
		now += MILLISECONDS(30);
		shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_WAKE);
	}
	assert_in_range(news, 60, 300);
	/* Who only stores is looked for as ever. */
	shmlog_poll_slept(&schedule, MILLISECONDS(5));
	shmlog_poll_slept(&schedule, MILLISECONDS(5));
	schedule.woken = false;
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_POLL);
	assert_true(shmlog_poll_pause(&schedule, now) <= SHMLOG_POLL_MOST_NS);
}

TEST(test_schedule_believes_in_a_writer_that_wakes_late)
{
	int64_t now = MILLISECONDS(1000);
	struct shmlog_poll_schedule schedule = {0};
	unsigned news = 0;

	shmlog_poll_begin(&schedule, now);
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_WAKE);
	shmlog_poll_slept(&schedule, MILLISECONDS(5));
	shmlog_poll_slept(&schedule, MILLISECONDS(5));
	for (unsigned i = 0; i < 5; i++)
		shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_POLL);
	assert_false(shmlog_poll_is_active(&schedule, now));
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_WAKE);
	while (!shmlog_poll_is_active(&schedule, now)) {
		shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_POLL);
		news++;
	}
	assert_in_range(news, 6, 12);
	/* A wake without news is evidence, too. */
	shmlog_poll_woken(&schedule);
	assert_false(shmlog_poll_is_active(&schedule, now));
	assert_true(shmlog_poll_pause(&schedule, now) > MILLISECONDS(50));
	/* Where sleeps end in time, one poll tells. */
	schedule.late_ns = 0;
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_POLL);
	assert_true(shmlog_poll_is_active(&schedule, now));
}

TEST(test_schedule_forgets_a_period_over_a_long_pause)
{
	int64_t now = MILLISECONDS(1000);
	struct shmlog_poll_schedule schedule = after_frames(
		50, MILLISECONDS(300), &now);

	assert_int_equal(shmlog_poll_pause(&schedule, now),
	                 SHMLOG_POLL_EARLY_NS);
	now += SHMLOG_POLL_ACTIVE_NS + 1;
	assert_false(shmlog_poll_is_active(&schedule, now));
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_POLL);
	assert_int_equal(schedule.spans, 0);
	assert_int_equal(shmlog_poll_pause(&schedule, now),
	                 SHMLOG_POLL_LEAST_NS);
}

/* One surprise, and nothing is taken for sure for a while. */
TEST(test_schedule_is_not_sure_of_a_writer_that_was_early)
{
	int64_t now = MILLISECONDS(1000);
	struct shmlog_poll_schedule schedule = after_frames(
		50, MILLISECONDS(300), &now);

	now += MILLISECONDS(100);
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_POLL);
	assert_true(shmlog_poll_pause(&schedule, now) <= SHMLOG_POLL_MOST_NS);
}

/* How long the pause is when so much time has passed since the last news. */
static int64_t pause_after(const struct shmlog_poll_schedule *schedule,
                           int64_t span)
{
	return shmlog_poll_pause(schedule, schedule->since_ns + span);
}

TEST(test_schedule_waits_for_what_is_beyond_the_spans_that_it_knows)
{
	int64_t now = MILLISECONDS(1000);
	struct shmlog_poll_schedule schedule = after_frames(
		5, MILLISECONDS(300), &now);

	/* Four spans alone, which are the same by chance. */
	assert_int_equal(schedule.spans, 4);
	assert_int_equal(pause_after(&schedule, 0), SHMLOG_POLL_MOST_NS);
	/* From 280 to 320 ms, and six of the (6 + 4) parts of that beyond. */
	shmlog_poll_note(&schedule, now += MILLISECONDS(280),
	                 SHMLOG_FOUND_BY_A_POLL);
	shmlog_poll_note(&schedule, now += MILLISECONDS(320),
	                 SHMLOG_FOUND_BY_A_POLL);
	assert_int_equal(pause_after(&schedule, 0), SHMLOG_POLL_EARLY_NS);
	assert_int_equal(pause_after(&schedule, MILLISECONDS(235)),
	                 SHMLOG_POLL_EARLY_NS);
	assert_in_range(pause_after(&schedule, MILLISECONDS(252)),
	                MILLISECONDS(3), MILLISECONDS(4));
	assert_int_equal(pause_after(&schedule, MILLISECONDS(256)),
	                 SHMLOG_POLL_MOST_NS);
	assert_int_equal(pause_after(&schedule, MILLISECONDS(400)),
	                 SHMLOG_POLL_MOST_NS);
	/* The older a span, the sooner it is forgotten. */
	for (unsigned i = 0; i < SHMLOG_POLL_SPANS; i++)
		shmlog_poll_note(&schedule, now += MILLISECONDS(300),
		                 SHMLOG_FOUND_BY_A_POLL);
	assert_int_equal(schedule.spans, SHMLOG_POLL_SPANS);
	assert_int_equal(pause_after(&schedule, MILLISECONDS(270)),
	                 SHMLOG_POLL_EARLY_NS);
	assert_true(pause_after(&schedule, MILLISECONDS(300)) <
	            MICROSECONDS(150));
}

TEST(test_schedule_takes_nothing_for_sure_of_a_writer_of_two_rhythms)
{
	int64_t now = MILLISECONDS(1000);
	struct shmlog_poll_schedule schedule = after_frames(
		50, MILLISECONDS(300), &now);

	for (unsigned i = 0; i < SHMLOG_POLL_SPANS; i++) {
		now += MILLISECONDS(i % 4 == 0 ? 100 : 300);
		shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_POLL);
		for (int64_t span = 0; span < 500; span += 7)
			assert_true(
				pause_after(&schedule, MILLISECONDS(span)) <=
				SHMLOG_POLL_MOST_NS);
	}
}

/* A program that was stopped, or a clock that is behind. */
TEST(test_schedule_bears_any_time)
{
	int64_t now = MILLISECONDS(1000);
	struct shmlog_poll_schedule schedule = after_frames(
		3, MILLISECONDS(300), &now);

	assert_true(shmlog_poll_pause(&schedule, now - MILLISECONDS(5000)) > 0);
	assert_true(shmlog_poll_pause(&schedule, INT64_MAX / 2) > 0);
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_POLL);
	shmlog_poll_note(&schedule, now, SHMLOG_FOUND_BY_A_POLL);
	assert_true(shmlog_poll_pause(&schedule, now) >= SHMLOG_POLL_LEAST_NS);
	schedule = after_frames(60, 1, &now);
	assert_int_equal(shmlog_poll_pause(&schedule, now),
	                 SHMLOG_POLL_LEAST_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_schedule_finds_what_an_active_writer_stores_within_milliseconds),
		cmocka_unit_test(
			test_schedule_looks_the_closer_the_shorter_the_period),
		cmocka_unit_test(
			test_schedule_is_not_led_astray_by_the_first_spans),
		cmocka_unit_test(test_schedule_expects_a_regular_writer),
		cmocka_unit_test(test_schedule_lets_a_silent_log_be),
		cmocka_unit_test(
			test_schedule_is_a_safeguard_beside_a_writer_that_wakes),
		cmocka_unit_test(
			test_schedule_spares_busy_processors_its_safeguard),
		cmocka_unit_test(
			test_schedule_believes_in_a_writer_that_wakes_late),
		cmocka_unit_test(
			test_schedule_forgets_a_period_over_a_long_pause),
		cmocka_unit_test(
			test_schedule_is_not_sure_of_a_writer_that_was_early),
		cmocka_unit_test(
			test_schedule_waits_for_what_is_beyond_the_spans_that_it_knows),
		cmocka_unit_test(
			test_schedule_takes_nothing_for_sure_of_a_writer_of_two_rhythms),
		cmocka_unit_test(test_schedule_bears_any_time),
	};

	return cmocka_run_group_tests_name("poll_schedule", tests, NULL, NULL);
}
