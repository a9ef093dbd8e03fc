/*
 * An open log: descriptor, identity, header words, and the mappings that its
 * readers and its writer share.
 */
#ifndef SHMLOG_MAPPING_H
#define SHMLOG_MAPPING_H

#include "format.h"

#include <pthread.h>

/*
 * A mapping of the whole file.  Reference-counted under the log's mutex.  One
 * that takes the place of a shorter one holds on to it, so that payloads
 * handed out of the older one stay valid.
 */
struct shmlog_mapping {
	unsigned char *base;
	uint64_t length; /* bytes */
	bool writable;
	unsigned references;
	struct shmlog_mapping *previous; /* holds one reference on it */
};

struct shmlog_entry;

struct shmlog {
	int fd;      /* read-only; carries the lock */
	int lock_fd; /* carries it where it takes a descriptor open for
	              * writing, while it is held; else -1 */
	char *path;
	struct shmlog_identity identity;
	uint64_t header_size;
	uint64_t data_offset;
	pthread_mutex_t mutex;             /* over all that follows */
	struct shmlog_mapping *current;    /* the newest, not counted; NULL */
	struct shmlog_file_header *header; /* mapped to sleep on; NULL before */
	pthread_mutex_t append_mutex;      /* the lock is the process's: threads
	                                 * take turns here */
	bool scanned;    /* looked for writers in /proc; under append_mutex */
	int unseen;      /* as shmlog_unseen_writers(); likewise */
	bool has_writer; /* its own; likewise */
	struct shmlog_entry *kept; /* by a keeper, or NULL; likewise */
	uint64_t proved; /* offset up to which the frames were found to be a
	                  * chain; 0: not looked yet; likewise */
};

static inline struct shmlog_file_header *
shmlog_mapping_header(const struct shmlog_mapping *mapping)
{
	return (struct shmlog_file_header *)(void *)mapping->base;
}

/* shmlog_open() on a descriptor of a regular file, which is taken over, also
 * on failure. */
int shmlog_open_descriptor(int fd, const char *path, struct shmlog **log_out);

/*
 * The mapping of the whole file as long as it is now, at least
 * `least_length` bytes; counted, given back with shmlog_mapping_release().
 * `fd` is the log's own (read-only) or a writable one, which may be closed
 * afterwards.  SHMLOG_ERR_MAPPING_GONE if the file is shorter; -errno.
 */
int shmlog_mapping_acquire(struct shmlog *log, int fd, bool writable,
                           uint64_t least_length,
                           struct shmlog_mapping **mapping_out);
void shmlog_mapping_release(struct shmlog *log, struct shmlog_mapping *mapping);
/* The same for a writer's: where readers share it, it becomes read-only, as
 * this process must not look like a writer for longer than it is one. */
void shmlog_mapping_retire(struct shmlog *log, struct shmlog_mapping *mapping);

/*
 * The size word, to sleep on and to wake by, in a mapping of the header alone
 * (the file may be too large to map) that nothing is read through.  Valid
 * until the log is closed.  0 or -errno.
 */
int shmlog_size_word(struct shmlog *log, const _Atomic uint64_t **word_out);

/* Whether an errno of mmap(2) says that the file system has no mappings that
 * processes share (9p, some of FUSE). */
bool shmlog_is_unmappable(int status);

/* pread(2) until all is there: 0, -errno, or SHMLOG_ERR_MAPPING_GONE where
 * the file ends before. */
int shmlog_read_at(int fd, uint64_t offset, void *bytes, size_t size_bytes);
/* pwrite(2) until all is written: 0 or -errno. */
int shmlog_write_at(int fd, uint64_t offset, const void *bytes,
                    size_t size_bytes);

/* shmlog_check_name(); stores the length of the file that has the name. */
int shmlog_check_named(const struct shmlog *log, uint64_t *length_out);

/* The length of a file: 0 or -errno. */
int shmlog_load_length(int fd, uint64_t *length_out);
/* Whether the file has `size` bytes: 0, SHMLOG_ERR_MAPPING_GONE or -errno. */
int shmlog_check_length(int fd, uint64_t size);

/*
 * Loads the header's words through the descriptor, where no cut can raise a
 * signal, and the file's length, and orders them before all later reads of
 * the file.  0, -errno, or SHMLOG_ERR_MAPPING_GONE if there are no 24 bytes.
 */
int shmlog_load_header(int fd, struct shmlog_header *header_out);

/* shmlog_format_check_header() for a log that was sound once: what no longer
 * reaches to its size is SHMLOG_ERR_MAPPING_GONE. */
int shmlog_judge_header(const struct shmlog_header *header);

#endif
