/*
 * Threads that sleep on words of memory for a caller that has more of them than
 * one sleep can be on.  Each has a group of words, which its sleep is on until
 * one of them is woken or has changed; that is a report.  It rings the bell,
 * which the caller sleeps on, and rests until it is told to sleep again.
 */
#ifndef SHMLOG_SLEEPERS_H
#define SHMLOG_SLEEPERS_H

#include "sys.h"

#include <stddef.h>

struct shmlog_sleepers;

/* How many words a group has at most: the sleep is on an order as well. */
#define SHMLOG_GROUP_MAX (SHMLOG_AWAITED_MAX - 1)

/* What one sleep is on. */
struct shmlog_group {
	struct shmlog_awaited words[SHMLOG_GROUP_MAX];
	size_t places[SHMLOG_GROUP_MAX]; /* of the words, for the caller */
	size_t count;
};

/* Starts threads for so many groups, or fewer where the system refuses; NULL if
 * there would be none.  They take no signals. */
struct shmlog_sleepers *shmlog_sleepers_open(size_t groups);

/* Ends the threads, unless this process has only inherited them. */
void shmlog_sleepers_close(struct shmlog_sleepers *sleepers);

/* How many groups there are. */
size_t shmlog_sleepers_count(const struct shmlog_sleepers *sleepers);

/* Whether they are threads of this process, and were to be so many.  There may
 * be none: NULL. */
bool shmlog_sleepers_fit(const struct shmlog_sleepers *sleepers, size_t groups);

/* When they were started: no two at one address have the same time. */
int64_t shmlog_sleepers_since(const struct shmlog_sleepers *sleepers);

/* The bell, and the value to sleep on, which is taken before the last look for
 * reports. */
struct shmlog_awaited shmlog_sleepers_bell(struct shmlog_sleepers *sleepers);

/* A group, to be changed by the caller while its thread rests. */
struct shmlog_group *shmlog_sleepers_group(struct shmlog_sleepers *sleepers,
                                           size_t group);

/* Whether the thread of a group rests, and its report was taken. */
bool shmlog_sleepers_rests(const struct shmlog_sleepers *sleepers,
                           size_t group);

/* Lets a thread that rests sleep, and compare all words again and again. */
void shmlog_sleepers_sleep(struct shmlog_sleepers *sleepers, size_t group,
                           int64_t poll_ns);

/* Ends the sleep of a group, if it has one, and waits for that. */
void shmlog_sleepers_recall(struct shmlog_sleepers *sleepers, size_t group);

/* What ended the sleep of a group. */
struct shmlog_report {
	/* 1: the word at `which` was woken.  0: a word has changed during the
	 * sleep.  -EAGAIN: before it.  -ENOSYS: the system cannot do it. */
	int status;
	size_t which;
};

/* Takes the report of a group: false if it has none. */
bool shmlog_sleepers_take_report(struct shmlog_sleepers *sleepers, size_t group,
                                 struct shmlog_report *report_out);

#endif
