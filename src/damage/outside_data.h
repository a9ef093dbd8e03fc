/* Looking at what lies outside the committed data. */
#ifndef SHMLOG_OUTSIDE_DATA_H
#define SHMLOG_OUTSIDE_DATA_H

#include <shmlog.h>

/* Counts the frames between header and data in report->frames_in_gap, if they
 * fill that space exactly: a sign that dataOffset was changed.  Returns 0, or
 * what the visitor returned. */
int shmlog_look_before_data(struct shmlog *log,
                            const struct shmlog_verify_visitor *visitor,
                            struct shmlog_verify_report *report);

/* Stores in report->leftover_frames and leftover_bytes what a writer left
 * behind the committed data: one that is at work, or was killed before its
 * commit.  Returns 0, or what the visitor returned. */
int shmlog_look_behind_commit(struct shmlog *log,
                              const struct shmlog_verify_visitor *visitor,
                              struct shmlog_verify_report *report);

#endif
