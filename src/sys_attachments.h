/*
 * One process: which of its descriptors and mappings lead to files that matter,
 * as /proc shows them.
 */
#ifndef SHMLOG_SYS_ATTACHMENTS_H
#define SHMLOG_SYS_ATTACHMENTS_H

#include <errno.h>
#include <shmlog.h>

/* How one process uses a file, by one of its descriptors or mappings at first,
 * and by all of them in the end. */
struct shmlog_attachment {
	struct shmlog_held_file file;
	bool open;
	bool writes;
	bool mapped;
	bool maps_writable;
	bool locks;        /* holds the flock(2) */
	bool waits;        /* has the mark of who waits for that */
	bool is_appender;  /* has the mark of who appends under that */
	bool writes_alone; /* has the mark of the one writer */
	unsigned places;   /* descriptors with the mark of a reader's place */
	uint64_t least_place;
	char path[96]; /* that leads to the file */
};

/* A look at one process after the other. */
struct shmlog_proc_look {
	bool (*wants)(void *context, const struct shmlog_held_file *file);
	void *context;
	/* Of the process that is looked at. */
	bool has_files; /* any at all */
	struct shmlog_attachment *found;
	size_t count;
	size_t room;
};

/*
 * Finds the attachments of a process, by its name in /proc, behind those that
 * were found before.  0; -EACCES if some of it may not be looked into; another
 * -errno.  Those that were found count in any case.
 */
int shmlog_proc_attachments(const char *pid, struct shmlog_proc_look *look);

/* Of two such refusals the one that says more about the list as a whole. */
static inline int shmlog_proc_worse(int one, int other)
{
	return one == 0 || one == -EACCES ? (other != 0 ? other : one) : one;
}

#endif
