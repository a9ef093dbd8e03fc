/* Looking at what lies outside the committed data. */
#ifndef SHMLOG_OUTSIDE_DATA_H
#define SHMLOG_OUTSIDE_DATA_H

#include <shmlog.h>

/* Counts, in report->frames_in_gap, the frames that fill the space between the
 * header and the data exactly: a sign that dataOffset was changed.  0, or what
 * the visitor said. */
int shmlog_look_before_data(struct shmlog *log,
                            const struct shmlog_verify_visitor *visitor,
                            struct shmlog_verify_report *report);

/* Counts what a writer that was killed, or that is at work, left behind the
 * commit: report->leftover_frames, leftover_bytes.  0, or what the visitor
 * said. */
int shmlog_look_behind_commit(struct shmlog *log,
                              const struct shmlog_verify_visitor *visitor,
                              struct shmlog_verify_report *report);

#endif
