/* Staying entered from one append to the next, as long as nobody else comes. */
#ifndef SHMLOG_KEEP_H
#define SHMLOG_KEEP_H

#include "lock.h"

/*
 * shmlog_enter(), or what the keeper (NULL: there is none) still holds if the
 * log is what it was and nobody has opened it since.  Under the log's
 * append_mutex, like all below.
 */
int shmlog_keep_enter(struct shmlog_keeper *keeper, struct shmlog *log,
                      const struct shmlog_terms *terms,
                      struct shmlog_entry *entry_out);

/*
 * Behind a publish: whether it is certain that nobody has opened the log since
 * before it was entered.  If not, the entry will not be kept.
 */
bool shmlog_keep_is_alone(struct shmlog_keeper *keeper,
                          struct shmlog_entry *entry);

/* After a commit that moved `size` to entry->size: keeps the entry if that is
 * allowed, else leaves. */
void shmlog_keep(struct shmlog_keeper *keeper, struct shmlog_entry *entry);

#endif
