/*
 * shmlog.h - memory-mapped append-only logs, shared with the Node package
 * `shmio`
 *
 * SPDX-License-Identifier: MIT
 *
 * This header is the manual of libshmlog.
 *
 * THE FORMAT.  A log is a regular file: a header of three little-endian
 * 64-bit words (headerSize, dataOffset, size), then, from dataOffset, frames
 * back to back.  A frame is [u16 total][payload][u16 total], where total
 * counts both words.  `size` is the offset of the end of the committed data
 * and the only word that changes after creation.  The length of the file is
 * the log's capacity; shmlog_grow() makes it longer, and nothing makes it
 * shorter.  A log may be created with room for metadata between the three
 * words and the first frame; see shmlog_read_metadata().  See shmlog(5).
 *
 * UNITS.  All sizes are bytes.  A *cursor* counts bytes from dataOffset, so
 * the first frame has cursor 0; it is the number that the Node package calls
 * iterator.cursor().  An *offset* counts bytes from the start of the file.
 * Times are nanoseconds.  An *index* counts frames from the start of the log.
 *
 * RESULTS.  Every function that can fail returns an int: 0 or a positive
 * number for success, -errno where the system refused, and one of the
 * SHMLOG_ERR_* values below, all under -10000, where the library refused.
 * shmlog_strerror() has a text for each of them.  A function names every
 * SHMLOG_ERR_* that it returns, and the -errno that mean something of its own
 * there; where it opens, maps, reads or allocates, the system may refuse with
 * others (-EMFILE, -ENOMEM, -EIO).  Out-parameters are named *_out and are
 * written only on success, unless the function says otherwise.
 *
 * OWNERSHIP.  shmlog_open() makes a struct shmlog; readers and writers are
 * made from one and must be closed before it.  Closing NULL does nothing.
 * A frame's payload belongs to the reader that handed it out; each function
 * says how long it stays valid.  Nothing that the library returns is freed
 * by the caller except through the matching close function.
 *
 * THREADS.  The library has no global state.  A struct shmlog may be shared
 * by any number of threads once it is open.  A reader or a writer belongs to
 * one thread at a time; give each thread its own.
 *
 * PROCESSES.  Readers need no lock and never disturb a writer.  A
 * struct shmlog_writer is the one writer of its log for as long as it is
 * open.  shmlog_append_frames() takes the lock for each call (or keeps it
 * for as long as nobody else comes, with a session), so any number of processes
 * may share a log through it.  The lock is flock(2): it goes
 * with its holder, so a killed process leaves nothing to clean up.  A writer
 * that takes no lock (the Node package) is looked for at each lock and
 * refused with SHMLOG_ERR_WRITER_ACTIVE where the system can show it; where
 * it cannot, a commit that finds `size` moved by someone else is refused
 * with SHMLOG_ERR_INTERFERED instead of overwriting.  One that comes in the
 * middle of an append is noticed before that counts: see
 * shmlog_append_frames().
 *
 * CRASHES.  A process that is killed between allocate and commit leaves
 * bytes beyond `size`, which mean nothing; every committed frame stays
 * whole.  A log under /dev/shm is gone with a reboot, and a log on a disk
 * is as durable as the page cache, unless the caller asks for more: with
 * SHMLOG_APPEND_SYNC and shmlog_sync().
 *
 * TRUNCATION.  A file that is cut while mapped raises SIGBUS in whoever
 * touches the missing pages.  A buffered reader (SHMLOG_READER_BUFFERED)
 * reads with pread(2) and maps nothing but the header for
 * shmlog_reader_wait(), so it gets SHMLOG_ERR_MAPPING_GONE and never a
 * signal, and never allocates pages for holes.  A mapped reader, a
 * struct shmlog_writer, and shmlog_append_frames() where it looks at the
 * header and publishes, touch a mapping: a program that must survive
 * truncation there installs a SIGBUS handler that maps a private page over
 * the one that is missing.  These functions, but for shmlog_writer_commit(),
 * look at the file's length afterwards and return SHMLOG_ERR_MAPPING_GONE.
 *
 * DAMAGE.  The format has no checksum.  The two size words of each frame
 * prove the framing; a changed payload byte cannot be seen.
 */
#ifndef SHMLOG_H
#define SHMLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SHMLOG_API __attribute__((visibility("default")))
#else
#define SHMLOG_API
#endif

#define SHMLOG_VERSION "0.1.0"

/* -------------------------------------------------------------- constants */

/* Bytes of a header, and so the smallest dataOffset and the smallest log. */
#define SHMLOG_HEADER_BYTES 24u
/* Bytes that a frame adds to its payload: two 16-bit words. */
#define SHMLOG_FRAME_OVERHEAD_BYTES 4u
/* Largest frame, as a 16-bit word can say it, and the payload in it. */
#define SHMLOG_FRAME_MAX_BYTES 65535u
#define SHMLOG_PAYLOAD_MAX_BYTES 65531u
/* What 0 stands for in shmlog_reader_next_batch(); the Node package's own
 * defaults for maxMessages and maxBytes. */
#define SHMLOG_DEFAULT_MAX_MESSAGES 64u
#define SHMLOG_DEFAULT_MAX_BYTES 262144u
/* The index of a frame that was not reached by counting from the start. */
#define SHMLOG_INDEX_UNKNOWN UINT64_MAX

/* ----------------------------------------------------------------- status */

enum shmlog_status {
	SHMLOG_OK = 0,

	/* The file is no log; nothing was changed. */
	SHMLOG_ERR_NOT_REGULAR = -10001, /* a directory, FIFO, device, … */
	SHMLOG_ERR_TOO_SHORT = -10002,   /* fewer than 24 bytes */
	SHMLOG_ERR_NO_HEADER = -10003,   /* 24 zero bytes: never initialised */
	SHMLOG_ERR_HEADER_SIZE = -10004, /* headerSize < 24 or > file length */
	SHMLOG_ERR_DATA_OFFSET = -10005, /* dataOffset < 24 or > file length */
	SHMLOG_ERR_SIZE = -10006, /* size < dataOffset or > file length */

	/* The data is damaged, or the place asked for does not exist. */
	SHMLOG_ERR_CURSOR = -10010,        /* no frame starts here, or its first
	                                    * word is an impossible size
	                                    * (the package's ERR_SHM_CURSOR) */
	SHMLOG_ERR_FRAME_CORRUPT = -10011, /* a frame's two size words differ
	                                    * (ERR_SHM_FRAME_CORRUPT) */
	SHMLOG_ERR_TORN = -10012,          /* the committed data ends inside a
	                                    * frame */

	/* The file changed in a way that no writer may change it. */
	SHMLOG_ERR_MAPPING_GONE = -10020, /* shorter than its committed data
	                                   * (ERR_SHM_MAPPING_GONE) */
	SHMLOG_ERR_WENT_BACK = -10021,    /* size is lower than it was */
	SHMLOG_ERR_REPLACED = -10022,     /* the name leads to another file */

	/* An append was refused. */
	SHMLOG_ERR_PAYLOAD_SIZE = -10030, /* payload over 65,531 bytes */
	SHMLOG_ERR_FULL = -10031,         /* no room before the file's end */
	SHMLOG_ERR_LOCK_TIMEOUT = -10032, /* another process held the lock */
	SHMLOG_ERR_WRITER_ACTIVE =
		-10033,                 /* a writer that takes no lock has the
	                                    * log open */
	SHMLOG_ERR_INTERFERED = -10034, /* size was moved by another writer */
	SHMLOG_ERR_BAD_FRAMES = -10035, /* the bytes are no chain of frames */
	SHMLOG_ERR_IN_DOUBT = -10036,   /* published, but a writer that takes no
	                                  * lock, and may not know of it, has
	                                  * the log open */
	SHMLOG_ERR_OVERWRITTEN = -10037, /* published, and overwritten by such a
	                                  * writer */
	SHMLOG_ERR_MOVED = -10038, /* the log does not end where the append
	                            * expects it to; nothing was written */

	SHMLOG_ERR_READER_ACTIVE = -10039, /* a process reads the log */

	SHMLOG_ERR_CAPACITY = -10040, /* capacity < 24, too small for the
	                               * metadata, beyond off_t, or below what a
	                               * log that is to grow has */
	SHMLOG_ERR_METADATA = -10041, /* the header has no such bytes of
	                               * metadata */
};

/*
 * A short text for a status, lower case, without a full stop; strerror(3)'s
 * for -errno.  Never NULL; a value that is no status has a text that says so.
 * The text belongs to the library or the C library: it is not freed, and is
 * valid until the thread's next call of strerror(3).
 */
SHMLOG_API const char *shmlog_strerror(int status);

/*
 * The package's word for a status ("ERR_SHM_CURSOR"), the enumerator's own
 * name otherwise ("SHMLOG_ERR_FULL"), or NULL for a status that is not the
 * library's.  A constant string, which is not freed.  Never fails; any thread
 * may call it.
 */
SHMLOG_API const char *shmlog_status_name(int status);

/*
 * The version of the library that runs, in the form of SHMLOG_VERSION, which is
 * that of the header a program was built with.  A constant string, which is not
 * freed.  Never fails.
 */
SHMLOG_API const char *shmlog_version(void);

/* --------------------------------------------------------------- the file */

/* The header's words as they stand in the file, and the file's length. */
struct shmlog_header {
	uint64_t header_size; /* bytes; 24, or more with metadata behind it */
	uint64_t data_offset; /* offset of the first frame, at least 24 */
	uint64_t size;        /* offset of the end of the committed data */
	uint64_t capacity;    /* length of the file, bytes */
};

/* What makes two opens of a name the same file; see shmlog_same_file(). */
struct shmlog_identity {
	uint64_t device; /* may change when the file system is mounted again */
	uint64_t inode;
	int64_t birth_ns; /* time of creation since the epoch; 0 where the file
	                   * system does not tell */
	uint64_t filesystem; /* its own number, the same whenever it is
	                      * mounted; 0 where it has none */
};

enum shmlog_create_flags {
	/* Do not reserve the space: pages are allocated as they are written.
	 * A writer may then meet ENOSPC, or SIGBUS through a mapping. */
	SHMLOG_CREATE_SPARSE = 1u << 0,
	/* Refuse, with -EOPNOTSUPP, to create a log in memory, which
	 * shmlog_sync() would refuse. */
	SHMLOG_CREATE_ON_DISK = 1u << 1,
};

/*
 * Creates a log of `capacity` bytes (at least 24) at `path` with the
 * permission bits `mode` less the umask.  The space is reserved unless
 * SHMLOG_CREATE_SPARSE is given, the header is written, and only then does
 * the file get its name: nobody ever sees a log without a header.
 *
 * SHMLOG_ERR_CAPACITY; -EEXIST if anything, a dangling link included, has
 * the name; -ENOSPC; -EOPNOTSUPP for SHMLOG_CREATE_ON_DISK; any other -errno
 * of open, fallocate, write, link.  On failure nothing is left behind.  Where
 * the file system has no files without a name, the thread holds back the
 * signals that would end the process, so that neither do they leave anything;
 * if one comes, -EINTR is returned once it was let through.
 *
 * The log is not open afterwards: shmlog_open() does that.  Any number of
 * threads and processes may try to create the same name; one of them succeeds,
 * the others get -EEXIST.
 */
SHMLOG_API int shmlog_create(const char *path, uint64_t capacity, mode_t mode,
                             unsigned flags);

/* What shmlog_create_with() makes. */
struct shmlog_create_options {
	uint64_t capacity; /* of the file, bytes */
	mode_t mode;       /* permission bits, less the umask */
	unsigned flags;    /* of enum shmlog_create_flags */
	/* How many bytes of metadata the header has room for, behind its three
	 * words: headerSize and dataOffset are this plus 24. */
	uint64_t metadata_bytes;
	/* These bytes, all of them, or NULL for zeros.  Only read. */
	const void *metadata;
};

/*
 * shmlog_create() for a log whose header has room for metadata, which is in
 * the file before the file gets its name.  The same errors;
 * SHMLOG_ERR_CAPACITY also if the capacity is not enough for the header.
 */
SHMLOG_API int shmlog_create_with(const char *path,
                                  const struct shmlog_create_options *options);

/*
 * Reads the header of `path` without judging it, and judges it: returns 0
 * for a sound header or the status that shmlog_open() would return.
 * *header_out is always written; words that could not be read are 0.
 * Changes nothing and never waits for a FIFO; as shmlog_open(), it waits for
 * another process's lease.  Nothing stays open.  The words are of one moment
 * each: a log that is being written may be larger when the call returns.
 */
SHMLOG_API int shmlog_inspect(const char *path,
                              struct shmlog_header *header_out);

/* What both ends of a file look like. */
struct shmlog_look {
	struct shmlog_header header;
	/* 0 where the frame is whole or there is none; SHMLOG_ERR_CURSOR,
	 * _FRAME_CORRUPT, _TORN.  Of the last one it is always the latter. */
	int first_frame;
	int last_frame;
};

/*
 * Tells a log from another file without a walk: by the words of the header, the
 * file's length, and the first and the last frame.  `fd` is open for reading;
 * its position may be moved.  *look_out is always written.
 *
 * 0 if the file is a log: the header is sound and not longer than dataOffset
 * says, and there are no frames, or one of the two is whole at least.
 * SHMLOG_ERR_CURSOR, _FRAME_CORRUPT or _TORN if neither is;
 * SHMLOG_ERR_NOT_REGULAR, _TOO_SHORT, _NO_HEADER, _HEADER_SIZE, _DATA_OFFSET,
 * _SIZE; SHMLOG_ERR_MAPPING_GONE if the file was cut meanwhile; -EBADF, -EIO,
 * another -errno of a read.  A log that is being written raises no false alarm.
 */
SHMLOG_API int shmlog_look(int fd, struct shmlog_look *look_out);

/*
 * A log that is open: made by shmlog_open(), ended by shmlog_close().  It holds
 * one descriptor, and a mapping of the header once somebody has slept on it.
 * Opaque, and immutable to the caller; threads may share it.
 */
struct shmlog;

/*
 * Opens a log for reading; a writer made from it gets write access by
 * itself.  Never changes the file.  Where another process (a file server) has
 * a lease on it, asks for that and waits, as open(2) does; -EINTR when a
 * signal is caught meanwhile.
 *
 * -ENOENT, -EACCES, -EMFILE, … of open(2); SHMLOG_ERR_NOT_REGULAR,
 * SHMLOG_ERR_TOO_SHORT, _NO_HEADER, _HEADER_SIZE, _DATA_OFFSET, _SIZE.
 *
 * *log_out belongs to the caller, who ends it with shmlog_close().  The path is
 * copied: it is looked up again by what opens the log for writing and by
 * shmlog_check_name(), relative to the working directory of that moment.
 */
SHMLOG_API int shmlog_open(const char *path, struct shmlog **log_out);

/*
 * Opens the log that the descriptor `fd` is open on, whatever its name leads
 * to, and if it has no name any more, or never had one (memfd_create(2)).
 * `fd` stays the caller's, who may close it at once.
 *
 * The log is read as any other.  Frames can be appended to it if `fd` is open
 * for reading and writing and the system can open the file of a descriptor
 * anew (Linux, with /proc mounted); otherwise an append, a writer and
 * shmlog_grow() fail with -EROFS.  Without such a system call the descriptor
 * is duplicated, and then reading moves the file position that it shares with
 * `fd`.
 *
 * A log that was opened so has no name: shmlog_check_name() is always 0, and
 * an append never returns SHMLOG_ERR_REPLACED, so it goes on in a file that
 * was renamed by shmlog_rotate().  Each process that was passed the descriptor
 * counts as having the file open for writing, so what the system says of that
 * shows no foreign writer; one is seen only where /proc shows that it has the
 * file mapped for writing, or by what it does to `size`.
 *
 * -EBADF for no descriptor, or one that is open for writing only; -EMFILE, …;
 * SHMLOG_ERR_NOT_REGULAR and the other statuses of shmlog_open().
 */
SHMLOG_API int shmlog_open_fd(int fd, struct shmlog **log_out);

/*
 * Opens a log that lies in memory, for reading: the `size_bytes` bytes at
 * `bytes` are what a file would hold, and `size_bytes` is the capacity.  They
 * are copied into a file without a name, in memory where the system has such
 * files, so the caller may change or free them at once, and the copy takes as
 * much memory as they do until the log is closed.  Everything that writes
 * fails with -EROFS.
 *
 * SHMLOG_ERR_TOO_SHORT, _NO_HEADER, _HEADER_SIZE, _DATA_OFFSET, _SIZE;
 * -ENOMEM, -ENOSPC, another -errno of making or writing that file.
 */
SHMLOG_API int shmlog_open_memory(const void *bytes, size_t size_bytes,
                                  struct shmlog **log_out);

/*
 * Closes a log whose readers, writers and sessions are closed.  NULL is
 * harmless.  No other thread may use the log meanwhile.  Never fails.
 */
SHMLOG_API void shmlog_close(struct shmlog *log);

/*
 * The header and the length of the file as they are now.  0;
 * SHMLOG_ERR_MAPPING_GONE if the file is shorter than its committed data;
 * SHMLOG_ERR_NO_HEADER, _HEADER_SIZE, _DATA_OFFSET, _SIZE if a word is
 * impossible now; -EIO.  *header_out is written in every case but -errno.
 * Frames below the `size` that it stores can be read: the load of that word is
 * ordered before all later reads.  Any thread may call it.
 */
SHMLOG_API int shmlog_read_header(const struct shmlog *log,
                                  struct shmlog_header *header_out);

/*
 * The offset of the first frame, in bytes, as it was when the log was opened:
 * offset = cursor + this.  Never fails.
 */
SHMLOG_API uint64_t shmlog_data_offset(const struct shmlog *log);

/*
 * The file that is open, to be compared with another one, or with the same
 * one at another time, by shmlog_same_file().  A copy, which the caller may
 * keep for longer than the log is open.  Never fails.
 */
SHMLOG_API struct shmlog_identity shmlog_identity(const struct shmlog *log);

/*
 * Whether two identities, taken at different times perhaps, are of the same
 * file: the same inode, born at the same time, on the same device, or, where
 * the time of birth is known, on a file system that may have been mounted as
 * another device meanwhile.  Both are only read.  Never fails.
 */
SHMLOG_API bool shmlog_same_file(const struct shmlog_identity *a,
                                 const struct shmlog_identity *b);

/*
 * Whether the name `log` was opened by still leads to the same file: 0 if
 * so, SHMLOG_ERR_REPLACED if it leads to another file, -ENOENT if it leads
 * to none, another -errno of stat(2).  The answer is that of a moment: the
 * name may be given to another file right behind it.  Any thread may call it.
 */
SHMLOG_API int shmlog_check_name(const struct shmlog *log);

/*
 * How many bytes of metadata the header of a log has: those from offset 24 to
 * the end of the header, or to the first frame where that comes before it.  It
 * is what it was when the log was opened.  Never fails.
 */
SHMLOG_API uint64_t shmlog_metadata_size(const struct shmlog *log);

/*
 * Reads `size_bytes` bytes of metadata, from the one that `at` counts, 0 being
 * the first.  0; SHMLOG_ERR_METADATA where the header has no such bytes;
 * SHMLOG_ERR_MAPPING_GONE; -EIO.
 *
 * The library gives metadata no meaning.  It is changed by an append alone, in
 * struct shmlog_append_options.  This call takes no lock, so while an append
 * changes the bytes it may find some of them old and some new, and behind a
 * process that was killed while it did, that stays so.  Who must be able to
 * tell stores a checksum of the bytes among them, and keeps two records, of
 * which each append changes the older one.
 */
SHMLOG_API int shmlog_read_metadata(const struct shmlog *log, uint64_t at,
                                    void *bytes, size_t size_bytes);

/* ---------------------------------------------------------------- reading */

/* One frame, handed out without a copy.  The payload belongs to the reader; the
 * function that handed it out says how long it stays valid. */
struct shmlog_frame {
	const unsigned char *payload; /* size_bytes bytes; not terminated */
	uint32_t size_bytes;          /* of the payload, 0 to 65,531 */
	uint64_t cursor;              /* where the frame starts */
	uint64_t next_cursor;         /* where the next one starts */
	uint64_t index;               /* or SHMLOG_INDEX_UNKNOWN */
};

/* Why a frame was refused.  Counts of bytes, unless it says otherwise. */
struct shmlog_fault {
	int status;           /* SHMLOG_ERR_CURSOR, _FRAME_CORRUPT, _TORN */
	uint64_t cursor;      /* where the frame starts; where it ends, if the
	                      * fault was met going backwards */
	bool backwards;       /* met going backwards */
	uint64_t available;   /* committed bytes on the side the frame lies */
	uint32_t first_word;  /* the size word met first, if available >= 2 */
	uint32_t second_word; /* the one it must equal, for _FRAME_CORRUPT */
	uint64_t wrapped_payload_bytes; /* nonzero: the frame looks like a
	                                 * payload of so many bytes whose size
	                                 * wrapped round 65,536 */
};

/*
 * A place in a log from which frames are read, forwards or backwards.  Belongs
 * to one thread at a time, and is closed before its log.
 */
struct shmlog_reader;

enum shmlog_reader_flags {
	/* Read with pread(2) into a private window instead of through a
	 * mapping: safe against truncation, touches no hole, constant memory.
	 * Payloads stay valid until the next call on the reader. */
	SHMLOG_READER_BUFFERED = 1u << 0,
	/* Also check, in each call that looks at `size`, that headerSize and
	 * dataOffset are what they were at open (SHMLOG_ERR_HEADER_SIZE,
	 * SHMLOG_ERR_DATA_OFFSET).  The two words of a frame are always
	 * compared. */
	SHMLOG_READER_DEBUG_CHECKS = 1u << 1,
	/* Show others how far this reader is: see shmlog_followers().  The
	 * reader opens the file once more and leaves its place as the position
	 * of that descriptor, whenever shmlog_reader_next() or _wait() looks
	 * for more and at each call of shmlog_reader_next_batch(): all frames
	 * before that place were handed out, and the caller has come back for
	 * others.
	 * It costs one bare system call (lseek(2)) where the place has
	 * changed, and nothing where it has not.  Does nothing where the system
	 * or the file system has no such marks, or where the descriptor would
	 * be in the upper half of those that the process may have. */
	SHMLOG_READER_SHOWN = 1u << 2,
};

struct shmlog_reader_options {
	unsigned flags;      /* of enum shmlog_reader_flags */
	size_t window_bytes; /* of a buffered reader; 0 for the default,
	                      * SHMLOG_DEFAULT_MAX_BYTES; never less than one
	                      * whole frame */
};

/*
 * Makes a reader with its cursor and its index at 0.  `options` may be NULL:
 * mapped, no debug checks.  They are copied.  *reader_out belongs to the
 * caller, who closes it before the log.  A log may have any number of readers;
 * those that are mapped share one mapping.
 *
 * 0; -ENOMEM; SHMLOG_ERR_MAPPING_GONE if the file has become shorter than its
 * dataOffset; -errno of mmap(2), such as -ENODEV where the file system has no
 * shared mappings: a buffered reader needs none.
 */
SHMLOG_API int shmlog_reader_open(struct shmlog *log,
                                  const struct shmlog_reader_options *options,
                                  struct shmlog_reader **reader_out);

/*
 * Closes a reader and ends all payloads that it handed out.  NULL is harmless.
 * Never fails.
 */
SHMLOG_API void shmlog_reader_close(struct shmlog_reader *reader);

/*
 * Hands out the frame at the cursor and moves the cursor behind it.
 * Returns 1 for a frame and 0 when there is no more committed data.
 *
 * Errors, all with the cursor unmoved, so that the same call gives the same
 * answer again: SHMLOG_ERR_CURSOR, SHMLOG_ERR_FRAME_CORRUPT, SHMLOG_ERR_TORN
 * (see shmlog_reader_fault()); SHMLOG_ERR_MAPPING_GONE; SHMLOG_ERR_WENT_BACK
 * if `size` is below the highest value that this reader has seen;
 * SHMLOG_ERR_HEADER_SIZE and _DATA_OFFSET with debug checks; -EIO; -errno of
 * mmap(2) where a mapped reader follows a file that grew.
 *
 * The payload stays valid until the reader is closed (mapped) or until the
 * next call on the reader (buffered).
 */
SHMLOG_API int shmlog_reader_next(struct shmlog_reader *reader,
                                  struct shmlog_frame *frame_out);

/*
 * Hands out the frame that ends at the cursor and moves the cursor to its
 * start.  Returns 1 for a frame and 0 at the start of the log.  Errors as
 * for shmlog_reader_next(), cursor unmoved; `size` is not looked at.  The
 * payload stays valid as long as one of shmlog_reader_next().
 */
SHMLOG_API int shmlog_reader_prev(struct shmlog_reader *reader,
                                  struct shmlog_frame *frame_out);

/*
 * Hands out up to `max_messages` frames (0: SHMLOG_DEFAULT_MAX_MESSAGES; the
 * array must hold as many) whose frames together have up to `max_bytes`
 * bytes (0: SHMLOG_DEFAULT_MAX_BYTES), size words counted.  Returns how
 * many; 0 when there is no more committed data.  A frame larger than
 * max_bytes is handed out alone: a batch always makes progress.  A buffered
 * reader may return fewer than would fit, never 0 instead of 1.
 *
 * Good frames before a fault are returned first, with the cursor at the
 * fault; the error comes with the next call.  Errors as for
 * shmlog_reader_next(), cursor unmoved.  All payloads of the batch are valid
 * together, as long as those of shmlog_reader_next().
 */
SHMLOG_API int shmlog_reader_next_batch(struct shmlog_reader *reader,
                                        size_t max_messages, size_t max_bytes,
                                        struct shmlog_frame *frames_out);

/* The frame starts around a place that is none. */
struct shmlog_neighbours {
	uint64_t
		before; /* highest frame start, or end, at or below the place */
	uint64_t after; /* lowest frame start, or end, above it; the same as
	                  * `before` if there is none */
};

/*
 * Moves the cursor to `cursor`, which must be the start of a frame or the
 * end of the committed data: a place that a chain of frames reaches, from
 * the start of the log, from its end or from the present cursor, whichever
 * is nearest.  Takes time proportional to the frames in between.
 *
 * SHMLOG_ERR_CURSOR if no frame starts there: *neighbours_out, unless NULL,
 * names those around it.  The errors of shmlog_reader_next() if damage
 * stands between, and then shmlog_reader_fault() names it.  The cursor is
 * unmoved on every error.
 */
SHMLOG_API int shmlog_reader_seek(struct shmlog_reader *reader, uint64_t cursor,
                                  struct shmlog_neighbours *neighbours_out);

/*
 * Moves the cursor to the end of the committed data, without a walk; the index
 * is unknown from there, unless the log is empty.  Costs the same whatever the
 * log's length.  0, or the errors of shmlog_reader_next() that concern `size`,
 * with the cursor unmoved.
 */
SHMLOG_API int shmlog_reader_seek_end(struct shmlog_reader *reader);

/*
 * Moves the cursor to a place that the caller knows to be the start of a frame
 * or the end, as a frame or a cursor of this log has told it before, without a
 * walk.  `index` is that of the frame there, or SHMLOG_INDEX_UNKNOWN.  Nothing
 * is checked here but that the place is not beyond the end; of a place that is
 * no frame start shmlog_reader_next() refuses what it finds there, unless it
 * looks like a frame.
 *
 * 0; SHMLOG_ERR_CURSOR if the place is beyond the end, and the errors of
 * shmlog_reader_next() that concern `size`, with the cursor unmoved.
 */
SHMLOG_API int shmlog_reader_seek_known(struct shmlog_reader *reader,
                                        uint64_t cursor, uint64_t index);

/*
 * Moves the cursor to the first place at `cursor` or behind it where frames
 * seem to go on, without a walk: judged by the next 448 KiB alone, as behind
 * damage.  So the middle of a log is reached at once, whatever its length, and
 * frames behind damage are.  Unlike shmlog_reader_seek() this proves nothing:
 * where payloads hold frames, the place may lie in one.  The index is unknown
 * from there, unless it is the start.  Takes up to 12 MiB of memory and some
 * milliseconds.
 *
 * 0; SHMLOG_ERR_CURSOR if no such place is found in these bytes, or `cursor` is
 * beyond the end; -ENOMEM; the errors of shmlog_reader_next() that concern
 * `size`.  The cursor is unmoved on every error.
 */
SHMLOG_API int shmlog_reader_seek_near(struct shmlog_reader *reader,
                                       uint64_t cursor);

/*
 * The cursor, in bytes from dataOffset: where shmlog_reader_next() reads next
 * and shmlog_reader_prev() ends.  Always the start of a frame, or the end.
 * Never fails.
 */
SHMLOG_API uint64_t shmlog_reader_cursor(const struct shmlog_reader *reader);

/*
 * The index of the frame at the cursor, counted from 0 at the start of the log,
 * or SHMLOG_INDEX_UNKNOWN where the cursor was not reached by counting from
 * there.  Never fails.
 */
SHMLOG_API uint64_t shmlog_reader_index(const struct shmlog_reader *reader);

/*
 * Loads `size` and stores how many bytes are committed, counted from
 * dataOffset: the cursor of the end.  The reader's own cursor does not move.
 * 0, or the errors of shmlog_reader_next() that concern `size`.
 */
SHMLOG_API int shmlog_reader_committed_size(struct shmlog_reader *reader,
                                            uint64_t *committed_out);

/*
 * The cursor of the end as the last look at the log found it, without another
 * look.  shmlog_reader_next() looks again once the cursor is there.  0 before
 * the first look.  Never fails.
 */
SHMLOG_API uint64_t
shmlog_reader_known_size(const struct shmlog_reader *reader);

/*
 * Loads `size` once and keeps to it: until shmlog_reader_release_end(), or the
 * next call of this function, the log ends there for every call on the reader,
 * however much is committed meanwhile.  So places that are counted from the
 * end, and the end itself, are found in one and the same log, one call after
 * the other.  0, or the errors of shmlog_reader_next() that concern `size`,
 * and then no end is held.
 *
 * While an end is held nothing looks at `size`: SHMLOG_ERR_WENT_BACK does not
 * come, and shmlog_reader_wait() looks behind the cursor once and returns
 * -EINVAL where it would have to wait for what cannot come.
 */
SHMLOG_API int shmlog_reader_hold_end(struct shmlog_reader *reader);

/*
 * Lets the reader see what is committed from now on, and what was committed
 * since shmlog_reader_hold_end().  Does nothing where no end is held.  Never
 * fails.
 */
SHMLOG_API void shmlog_reader_release_end(struct shmlog_reader *reader);

/*
 * The details of the last SHMLOG_ERR_CURSOR, _FRAME_CORRUPT or _TORN.  Belongs
 * to the reader, and is valid until the next call on it; never NULL.  Its
 * members mean nothing before the first such error.
 */
SHMLOG_API const struct shmlog_fault *
shmlog_reader_fault(const struct shmlog_reader *reader);

/*
 * Sleeps until data is committed behind the cursor.  Returns 1 when there
 * is some, 0 when `timeout_ns` have passed (negative: no limit), -EINTR when
 * a signal was caught, an error of shmlog_reader_next() that concerns
 * `size`, or -errno of mmap(2).  The file is looked at in any case, so 0
 * means "not yet".
 *
 * A writer that calls shmlog_wake(), as shmlog_append_frames() does when
 * asked, ends the sleep at once; polls are a safeguard beside it, 0.6 ms apart
 * after news, and then by an eighth of the time since.  Where sleeps have ended
 * two milliseconds late or more, as beside a thousand other readers, the first
 * comes 32 times as long after the news, 200 ms at most.
 * Writers that only store to memory are polled for as often as they write: from
 * every 100 microseconds for one that stores all the time to every 1.5 ms for
 * one that stores 15 times a second or less, until it has stored nothing for 3
 * seconds.
 * The reader knows the last 16 spans from news to news: where these tell when
 * the next frame is to be expected at the earliest, looks are 20 ms apart
 * before that.
 * After 3 seconds, and where no such writer was seen yet, pauses grow with the
 * time without news, up to `max_poll_ns` (0: 200 ms), which bounds every pause,
 * and how long the truncation of the file goes unseen.  So is every writer
 * polled for on a file system that grants no shared mapping.
 * A signal that comes between two looks is noticed at the next one.
 * The header is mapped once for each log to sleep on, also for a buffered
 * reader.  A thread that sleeps holds no lock.
 */
SHMLOG_API int shmlog_reader_wait(struct shmlog_reader *reader,
                                  int64_t timeout_ns, int64_t max_poll_ns);

/*
 * As shmlog_reader_wait(), for any number of readers, of different logs, with
 * one sleep: until data is committed behind the cursor of one of them.  Returns
 * 1 when there is some, and stores the place of such a reader in *which_out;
 * there may be others, for which shmlog_reader_known_size() is beyond the
 * cursor, and those that were not looked at are looked at by a later call.
 * 0, -EINTR and errors as there; an error about one reader stores its place,
 * and the reader must be left out of later calls.  -EINVAL if `count` is 0, or
 * where shmlog_reader_wait() would return it for one of them.
 *
 * Any writer that wakes ends the sleep at once where the system can sleep on
 * several logs (futex_waitv, Linux 5.16).  One sleep is on 128 at most: with
 * more readers threads of the library sleep for the others, one for each 127,
 * which take no signals and stay until the first reader is closed.  Their logs
 * are looked at every 200 ms, or 0.4 ms for each reader if that is more (2 s at
 * most), or `max_poll_ns` if that is given and less, for what writers only
 * stored; with hundreds of them the truncation of one is seen in its turn, some
 * seconds late.  On older systems, and where no thread can be started, all
 * others are polled for, once in 50 ms at least.  Those whose writers were
 * active within 3 seconds are looked at as often as shmlog_reader_wait() does
 * it, 64 of them at most.  Where the readers are the same in each call, a call
 * has least to do; where another one is the first, it starts threads of its
 * own.
 *
 * A thread that uses one of the readers must not do so during the call.
 */
SHMLOG_API int shmlog_reader_wait_any(struct shmlog_reader *const *readers,
                                      size_t count, int64_t timeout_ns,
                                      int64_t max_poll_ns, size_t *which_out);

/* ------------------------------------------------------- the one writer */

/*
 * Zero-copy writing through a mapping, for one process at a time.  Belongs to
 * one thread at a time, and is closed before its log.
 */
struct shmlog_writer;

enum shmlog_writer_flags {
	/* Open even where another writer is seen, though not a second one of
	 * the same struct shmlog.  Two writers overwrite each other's frames;
	 * only the check before each commit is left. */
	SHMLOG_WRITER_FORCE = 1u << 0,
	/* At each commit walk the frames to be published and compare both size
	 * words, so that a caller who wrote beyond a payload gets
	 * SHMLOG_ERR_FRAME_CORRUPT instead of a damaged log; and look at the
	 * file's length afterwards. */
	SHMLOG_WRITER_DEBUG_CHECKS = 1u << 1,
};

struct shmlog_writer_options {
	unsigned flags;          /* of enum shmlog_writer_flags */
	int64_t lock_timeout_ns; /* how long to wait for the lock; negative:
	                          * without limit; 0: not at all */
};

/*
 * Makes the log's writer, at the end of the committed data.  `options` may
 * be NULL: no flags, no waiting for the lock.
 *
 * SHMLOG_ERR_LOCK_TIMEOUT; SHMLOG_ERR_WRITER_ACTIVE; SHMLOG_ERR_TORN if the
 * last frame is not whole: nothing must be appended behind it;
 * SHMLOG_ERR_MAPPING_GONE; SHMLOG_ERR_REPLACED if the name leads to another
 * file by now; SHMLOG_ERR_NO_HEADER, _HEADER_SIZE, _DATA_OFFSET, _SIZE if a
 * word is impossible by now; -EACCES, -ENOENT, -ENOMEM, -EINTR.
 *
 * *writer_out belongs to the caller.  The options are copied.  As long as the
 * writer is open, appends to the log by this or any other process are refused
 * with SHMLOG_ERR_WRITER_ACTIVE, or, where the system cannot tell who writes,
 * with SHMLOG_ERR_LOCK_TIMEOUT.  Readers are not affected.
 */
SHMLOG_API int shmlog_writer_open(struct shmlog *log,
                                  const struct shmlog_writer_options *options,
                                  struct shmlog_writer **writer_out);

/*
 * Closes the writer, ends all pointers that it handed out, and lets others
 * write.  What was not committed is dropped.  NULL is harmless.  Never fails.
 */
SHMLOG_API void shmlog_writer_close(struct shmlog_writer *writer);

/*
 * Reserves a frame with `size_bytes` (0 to 65,531) of payload behind those
 * reserved before, and hands out its payload to be filled.  The pointer is
 * valid until the writer is closed; readers see the frame after
 * shmlog_writer_commit().  Any number of frames may be reserved per commit.
 * The payload's bytes are whatever the file held.
 *
 * SHMLOG_ERR_PAYLOAD_SIZE; SHMLOG_ERR_FULL; -errno of mmap(2) where the file
 * has grown.  Nothing is reserved then, and earlier reservations stand.
 */
SHMLOG_API int shmlog_writer_allocate(struct shmlog_writer *writer,
                                      size_t size_bytes,
                                      unsigned char **payload_out);

/*
 * Publishes all reserved frames at once.  0 also when there are none.
 *
 * No system call, and so no second look, as shmlog_append_frames() takes one:
 * a foreign writer that opens the log while this one is open, or in the moment
 * in which it is opened, may overwrite what was committed.  That is noticed by
 * the first commit after it, as SHMLOG_ERR_INTERFERED.
 *
 * SHMLOG_ERR_INTERFERED if `size` is no longer what this writer left: nothing
 * is published, and the writer is of no use any more.
 * SHMLOG_ERR_FRAME_CORRUPT (debug checks): nothing is published, the
 * reservations stand.  SHMLOG_ERR_MAPPING_GONE: the file was cut; where the
 * header is still there, only debug checks see that, as to look at the file's
 * length would cost each commit a system call.
 * Wakes nobody: that is shmlog_wake()'s, once per commit or per many.
 */
SHMLOG_API int shmlog_writer_commit(struct shmlog_writer *writer);

/*
 * Drops all reserved frames: the next one is reserved where the first of them
 * was, and pointers to their payloads must not be used any more.  Readers have
 * never seen them.  Never fails.
 */
SHMLOG_API void shmlog_writer_rollback(struct shmlog_writer *writer);

/*
 * The cursor of the end of the committed data, in bytes from dataOffset, as
 * this writer left it: where the frame that is committed next will
 * start.  Never fails.
 */
SHMLOG_API uint64_t shmlog_writer_cursor(const struct shmlog_writer *writer);

/*
 * How many bytes are free behind all reservations; a frame takes 4 more
 * than its payload.  If the file has grown since it was mapped, there are more,
 * which shmlog_writer_allocate() finds when it needs them.  Never fails.
 */
SHMLOG_API uint64_t
shmlog_writer_free_bytes(const struct shmlog_writer *writer);

/*
 * The offset in the file of the payload that was allocated last, whatever its
 * size; 0 if none was.  The package's getLastAllocatedAddress().  Never fails.
 */
SHMLOG_API uint64_t
shmlog_writer_last_allocated_address(const struct shmlog_writer *writer);

/*
 * The bytes of a payload at an offset, to be changed in place, committed or
 * not; readers may see the change half done.  The package's
 * getBufferAtAddress().  SHMLOG_ERR_CURSOR unless [address, address +
 * size_bytes) lies within the payload of one frame that starts at
 * `address`.  The pointer is valid until the writer is closed.
 */
SHMLOG_API int shmlog_writer_buffer_at_address(struct shmlog_writer *writer,
                                               uint64_t address,
                                               size_t size_bytes,
                                               unsigned char **payload_out);

/*
 * Wakes every shmlog_reader_wait() on this log.  About half a microsecond
 * when nobody waits, 8 to 17 with a sleeper: cheap once per batch, dear once
 * per 64-byte frame, so the caller chooses when.  0; also where the system
 * has no such call, a sandbox refuses it (ENOSYS, EPERM, EACCES), or the file
 * system grants no mapping: readers then find the data at their next poll.
 * SHMLOG_ERR_MAPPING_GONE if the file was cut below its header; -errno of
 * mmap(2) of the header.  Any thread may call it, also one without a writer.
 */
SHMLOG_API int shmlog_wake(struct shmlog *log);

/* -------------------------------------------------------------- fast paths */

/*
 * Readers and writers without a call for each frame.  The functions here are
 * compiled into the program that uses them.  They step through frames that the
 * library has shown to be at hand, and call it for all else: at the end of what
 * is known to be committed, on damage, for lack of room, and for every handle
 * that has no fast path.  So a call of one of them does what the function does
 * that it stands for, with the same results and errors, and the two may be
 * mixed in any order: both move one and the same cursor.
 *
 * It pays for small frames: some 5 to 10 ns for each are saved.  Read by
 *
 *     struct shmlog_fast_reader *fast = shmlog_reader_fast(reader);
 *     struct shmlog_frame frame;
 *     int status;
 *
 *     while ((status = shmlog_fast_next(fast, &frame)) == 1)
 *             use(frame.payload, frame.size_bytes);
 *
 * and written by
 *
 *     struct shmlog_fast_writer *fast = shmlog_writer_fast(writer);
 *     unsigned char *payload;
 *     int status = shmlog_fast_allocate(fast, size_bytes, &payload);
 *
 *     if (status == 0) {
 *             memcpy(payload, event, size_bytes);
 *             status = shmlog_fast_commit(fast);
 *     }
 *
 * The commit is an atomic operation, which the processor finishes before it
 * goes on.  Frames that may be seen together cost less with one commit for
 * several of them.  What reads in batches anyway loses nothing with
 * shmlog_reader_next_batch(), whose loop is as fast.
 *
 * A compiler that is neither gcc nor one that says it is like it (__GNUC__)
 * compiles them as the calls alone.
 *
 * ABI.  The two structures below are a part of the library's binary interface,
 * as the names that it exports are: each member stays where it is, and means
 * what it says.  A later library that keeps its handles in another way shuts
 * the fast path (end = 0, limit = reserved, size_word = NULL), so that a
 * program which was compiled with this header calls it for each frame.  It
 * hands out other structures by functions with other names.
 *
 * The members belong to the functions below.  A program in another language
 * that does what these do may use them in their stead; others neither read nor
 * change them.  In particular the values from the log are hostile: a size word
 * is loaded once, and compared with what is left by subtraction.
 */

/*
 * What a reader has at hand.  Belongs to the thread that uses the reader, and
 * is a part of it: all functions of a reader move this cursor.
 */
struct shmlog_fast_reader {
	const unsigned char *first; /* where the frame at cursor 0 starts */
	uint64_t end;    /* cursor below which all bytes can be read and are
	                  * committed; 0: none, as for a buffered reader */
	uint64_t cursor; /* of the reader; may be above `end` if that is 0 */
	uint64_t index;  /* of the frame there, or SHMLOG_INDEX_UNKNOWN */
	struct shmlog_reader *reader;
};

/*
 * The room that a writer has at hand.  Belongs to the thread that uses the
 * writer, and is a part of it: all functions of a writer reserve and publish
 * here.  Offsets in the file, in bytes.
 */
struct shmlog_fast_writer {
	unsigned char *base;   /* where the file starts in memory */
	uint64_t limit;        /* of reservations, never below `reserved` */
	uint64_t reserved;     /* end of the reservations, never below `size` */
	uint64_t size;         /* end of what this writer has published */
	uint64_t last_address; /* of the payload reserved last; 0: none */
	uint64_t *size_word;   /* where `size` is published; NULL: by
	                        * shmlog_writer_commit() alone */
	struct shmlog_writer *writer;
};

/*
 * The fast path of a reader, which is valid until that is closed, is not freed,
 * and need be asked for once only: it is shut and opened again as the reader
 * needs.  Never NULL; never fails.
 */
SHMLOG_API struct shmlog_fast_reader *
shmlog_reader_fast(struct shmlog_reader *reader);

/*
 * The fast path of a writer, which is valid until that is closed, is not freed,
 * and need be asked for once only, also if the file grows.  Never NULL; never
 * fails.
 */
SHMLOG_API struct shmlog_fast_writer *
shmlog_writer_fast(struct shmlog_writer *writer);

/*
 * Ends a writer that found `found` where it had published its size, as
 * shmlog_writer_commit() does.  For shmlog_fast_commit() alone.  Returns
 * SHMLOG_ERR_INTERFERED, or SHMLOG_ERR_MAPPING_GONE if that is no size at all.
 */
SHMLOG_API int shmlog_writer_interfered(struct shmlog_writer *writer,
                                        uint64_t found);

#if defined(__GNUC__)

/*
 * How far ahead of a frame to ask for memory.  Where one frame ends tells where
 * the next starts, so each waits for the one before it to come from memory.  A
 * hint that loads nothing: it may name what is not mapped, and neither raises a
 * signal nor allocates a page.
 */
#define SHMLOG_FAST_AHEAD_BYTES 1024u

/* A frame's size word; any alignment.  Loaded once: behind the assembly, which
 * is empty, the compiler knows no other place for the value, so it cannot load
 * it again after it was checked. */
static inline uint32_t shmlog_fast_word(const unsigned char *at)
{
	uint32_t word = at[0] | (uint32_t)at[1] << 8;

	__asm__("" : "+r"(word));
	return word;
}

/* The size of the frame at a place with `left` committed bytes from there on,
 * or 0 if it is not whole and consistent. */
static inline uint32_t shmlog_fast_frame(const unsigned char *frame,
                                         uint64_t left)
{
	uint32_t total = left < 4 ? 0 : shmlog_fast_word(frame);

	if (total < 4 || total > left)
		return 0;
	return shmlog_fast_word(frame + total - 2) == total ? total : 0;
}

#endif

/*
 * shmlog_reader_next(), whose contract it has: 1 for a frame, 0 where there is
 * no more committed data, or an error with the cursor unmoved.  A frame that is
 * not whole and consistent is judged once more by that function, which says why
 * it is refused.  Looks at `size` only where shmlog_reader_next() does, at the
 * end of what is known to be committed.
 */
static inline int shmlog_fast_next(struct shmlog_fast_reader *fast,
                                   struct shmlog_frame *frame_out)
{
#if defined(__GNUC__)
	uint64_t cursor = fast->cursor;

	if (cursor < fast->end) {
		const unsigned char *frame = fast->first + cursor;
		uint32_t total = shmlog_fast_frame(frame, fast->end - cursor);

		__builtin_prefetch(frame + SHMLOG_FAST_AHEAD_BYTES);
		if (total != 0) {
			frame_out->payload = frame + 2;
			frame_out->size_bytes = total -
			                        SHMLOG_FRAME_OVERHEAD_BYTES;
			frame_out->cursor = cursor;
			frame_out->next_cursor = cursor + total;
			frame_out->index = fast->index;
			fast->cursor = cursor + total;
			fast->index += fast->index != SHMLOG_INDEX_UNKNOWN;
			return 1;
		}
	}
#endif
	return shmlog_reader_next(fast->reader, frame_out);
}

/*
 * shmlog_writer_allocate(), whose contract it has: the same results, and the
 * pointer is valid for as long.  That function is called where the room at hand
 * is not enough, and finds out whether the file has grown.
 */
static inline int shmlog_fast_allocate(struct shmlog_fast_writer *fast,
                                       size_t size_bytes,
                                       unsigned char **payload_out)
{
#if defined(__GNUC__)
	uint64_t start = fast->reserved;
	size_t total = size_bytes + SHMLOG_FRAME_OVERHEAD_BYTES;

	if (size_bytes <= SHMLOG_PAYLOAD_MAX_BYTES &&
	    total <= fast->limit - start) {
		unsigned char *frame = fast->base + start;
		unsigned char *behind = frame + total;

		__builtin_prefetch(frame + SHMLOG_FAST_AHEAD_BYTES, 1);
		frame[0] = behind[-2] = (unsigned char)(total & 0xff);
		frame[1] = behind[-1] = (unsigned char)(total >> 8);
		fast->last_address = start + 2;
		fast->reserved = start + total;
		*payload_out = frame + 2;
		return 0;
	}
#endif
	return shmlog_writer_allocate(fast->writer, size_bytes, payload_out);
}

/*
 * shmlog_writer_commit(), whose contract it has: publishes all reserved frames
 * at once, or nothing where somebody else has moved `size`.  Wakes nobody.
 */
static inline int shmlog_fast_commit(struct shmlog_fast_writer *fast)
{
#if defined(__GNUC__)
	uint64_t *size_word = fast->size_word;
	uint64_t reserved = fast->reserved;
	uint64_t found = fast->size;

	if (size_word != NULL) {
		if (reserved == found)
			return 0;
		/* A reader may look at all below the new size once it sees it,
		 * so every payload byte must be visible first; and a size that
		 * somebody else has moved must stay. */
		if (!__atomic_compare_exchange_n(size_word, &found, reserved, 0,
		                                 __ATOMIC_RELEASE,
		                                 __ATOMIC_RELAXED))
			return shmlog_writer_interfered(fast->writer, found);
		fast->size = reserved;
		return 0;
	}
#endif
	return shmlog_writer_commit(fast->writer);
}

/* ------------------------------------------------------- many appenders */

/*
 * Writes the frame of a payload of `size_bytes` (0 to 65,531, not checked) to
 * `frame_out`, which has room for size_bytes + 4, anywhere in memory and with
 * any alignment.  `payload` may be NULL if it has no bytes, and must not
 * overlap the frame.  Returns the bytes written.  Never fails; any thread may
 * call it.
 */
SHMLOG_API size_t shmlog_frame_encode(unsigned char *frame_out,
                                      const void *payload, size_t size_bytes);

enum shmlog_append_flags {
	SHMLOG_APPEND_FORCE = 1u << 0, /* even where another writer is seen */
	SHMLOG_APPEND_WHOLE = 1u << 1, /* all of it or nothing */
	SHMLOG_APPEND_WAKE = 1u << 2,  /* shmlog_wake() after the commit */
	/* Only if the log ends at options->expected_end_cursor. */
	SHMLOG_APPEND_EXPECT = 1u << 3,
	/* The frames are on the disk before `size` is moved over them: see
	 * shmlog_sync(). */
	SHMLOG_APPEND_SYNC = 1u << 4,
};

/* Write access that is kept between appends: shmlog_append_session_open(). */
struct shmlog_append_session;

struct shmlog_append_options {
	unsigned flags;          /* of enum shmlog_append_flags */
	int64_t lock_timeout_ns; /* how long to wait for the lock; negative:
	                          * without limit.  Less than 5 ms counts as
	                          * that: time for a session to release it. */
	struct shmlog_append_session *session; /* of this log, or NULL */
	int64_t writer_timeout_ns; /* how long to wait for a writer that takes
	                               * no lock to close the log; negative:
	                               * without limit; 0: not at all */
	/*
	 * Called before each wait, from the same thread, which must not use the
	 * log in it; may be NULL.  `status` is what the wait is about:
	 * SHMLOG_ERR_LOCK_TIMEOUT, once, for the lock, which a signal ends with
	 * -EINTR; SHMLOG_ERR_WRITER_ACTIVE, every 10 ms or so, for a foreign
	 * writer, which no signal ends.  Nonzero ends the wait, as if the time
	 * were up.
	 */
	int (*waiting)(void *context, int status);
	void *context;
	/*
	 * With SHMLOG_APPEND_EXPECT: where the log must end, looked at under
	 * the lock.  If it ends elsewhere, SHMLOG_ERR_MOVED is returned,
	 * nothing was written, and result_out->end_cursor says where.
	 */
	uint64_t expected_end_cursor;
	/*
	 * Metadata that goes with the frames: metadata_bytes bytes, written to
	 * the header behind its first metadata_at bytes of metadata.  NULL and
	 * 0: none.  With metadata, frames that do not all fit are refused, as
	 * with SHMLOG_APPEND_WHOLE, and bytes = 0 writes the metadata alone.
	 */
	const void *metadata;
	size_t metadata_bytes;
	uint64_t metadata_at;
};

struct shmlog_append_result {
	uint64_t frames;     /* committed by this call */
	size_t bytes;        /* of the input that these were */
	uint64_t cursor;     /* of the first of them */
	uint64_t end_cursor; /* where the next frame will start */
	uint64_t free_bytes; /* left in the log behind that */
	/* Written, and perhaps published, but not committed: the frames of a
	 * commit that another writer may overwrite, or has.  None unless
	 * appending fails. */
	uint64_t doubtful_frames;
	uint64_t doubtful_cursor; /* where they were written */
	uint64_t doubtful_end_cursor;
	/* A writer that takes no lock committed in the place of these frames
	 * while they were written: they are there to stay, but what it
	 * committed there is gone. */
	bool overwrote_others;
};

/*
 * Appends `bytes` bytes of ready frames as one commit, under the lock: takes
 * it, looks for a live writer that takes none, reads `size`, checks the last
 * frames, writes behind them, publishes, makes sure that nobody can overwrite
 * what was published, lets go.  Never blocks a reader.
 *
 * The last frames are checked from where this handle left off, so that nothing
 * is built upon a chain that broke since; by the first call on a handle, 64 KiB
 * of them.
 *
 * 0 when all was committed.  SHMLOG_ERR_FULL when the frames do not all fit:
 * those that do were committed, unless SHMLOG_APPEND_WHOLE.  On any other
 * error nothing was committed: SHMLOG_ERR_BAD_FRAMES if the bytes are no
 * chain of whole frames (looked at before the file), _METADATA, _MOVED,
 * _LOCK_TIMEOUT,
 * _WRITER_ACTIVE, _INTERFERED, _IN_DOUBT, _OVERWRITTEN, _TORN, _FRAME_CORRUPT,
 * _WENT_BACK if frames that were there are not any more, _MAPPING_GONE,
 * _REPLACED if the name leads to another file by now, _NO_HEADER, _HEADER_SIZE,
 * _DATA_OFFSET, _SIZE if a word of the header is impossible by now, -ENOENT,
 * -ENOSPC, -EACCES, -EINTR.  *result_out (may be NULL) is always written.
 * bytes = 0 checks all of this and commits nothing.  `options` may be NULL: no
 * flags, no waiting.  The frames and the options are only read, and not used
 * after the call.  Threads that append with one handle take turns.
 *
 * COMPARE AND APPEND.  With SHMLOG_APPEND_EXPECT the frames are committed at
 * expected_end_cursor or not at all: SHMLOG_ERR_MOVED if the log ends
 * elsewhere.  So of several processes that read up to the same end and answer
 * it, one is let through.  Frames that a foreign writer overwrote are then not
 * appended once more, as that would be behind the foreign ones:
 * SHMLOG_ERR_OVERWRITTEN is returned however long the call may wait.
 *
 * METADATA is written under the lock, before the frames and so before they are
 * published; SHMLOG_ERR_METADATA, before anything else is done, if the header
 * has no room for it.  Metadata and frames are not one: after a crash between
 * the two, or an error that comes with the publish or behind it, the metadata
 * is written, wholly or in part, and the frames are not there.  After success
 * both are.  To find out which, the caller lets the metadata say where the log
 * will end (expected_end_cursor and the bytes of the frames), keeps two such
 * records, and overwrites the one that does not say where the log ends now.
 * Whenever it is killed, the record that says where the log ends is the one
 * that belongs to the frames that are there.  That holds as long as nobody
 * appends without such a record, which might bring the end to the place that
 * an abandoned record names.
 *
 * FOREIGN WRITERS.  One that opened the log between the look for it and the
 * publish may overwrite what was published, whenever it commits next.  So a
 * commit counts after a second look: if such a writer is there, the frames are
 * in doubt (SHMLOG_ERR_IN_DOUBT, or _INTERFERED if it has moved `size`
 * already); if it is gone, they either are all there, to the last byte, or
 * SHMLOG_ERR_OVERWRITTEN.  result_out->doubtful_frames then says how many and
 * where.  With writer_timeout_ns the call waits instead, without the lock,
 * until that writer has closed the log, looks which frames were overwritten,
 * and appends those once more; then 0 means that each of them is in the log
 * once.  The same goes for a writer that is there from the beginning.  Once
 * the time is up, the status is what it would have been without waiting.
 * With SHMLOG_APPEND_FORCE there is no second look.
 *
 * What remains possible: a foreign writer that opened, committed and closed
 * within one commit wrote, in the same place, the same bytes; then they are
 * there once.  Frames that it stored there while this call wrote its own are
 * lost to it; result_out->overwrote_others says so where it had committed them.
 * Where the system cannot tell who has a
 * file open (no lease: a file of somebody else's), a writer that has stored
 * nothing yet is seen only if it is visible in /proc.
 */
SHMLOG_API int shmlog_append_frames(struct shmlog *log, const void *frames,
                                    size_t bytes,
                                    const struct shmlog_append_options *options,
                                    struct shmlog_append_result *result_out);

/*
 * As shmlog_append_frames() with SHMLOG_APPEND_WHOLE, but the frames are read
 * from `fd` with pread(2), offset 0 to `bytes`: for a commit larger than
 * memory should hold.  What is published is what was checked, also if the file
 * is changed meanwhile: the copy is made of checked bytes alone, and
 * SHMLOG_ERR_BAD_FRAMES publishes nothing.  The position of `fd` does not move,
 * and it stays open.  The same errors, and -errno of pread(2); 256 KiB of
 * memory.
 */
SHMLOG_API int
shmlog_append_frames_from(struct shmlog *log, int fd, uint64_t bytes,
                          const struct shmlog_append_options *options,
                          struct shmlog_append_result *result_out);

/*
 * A batch: frames in memory of the library, which wait for a commit.  Nobody
 * but the library writes there, so it knows that the frames are whole, and an
 * append of them need not walk over them once more, as shmlog_append_frames()
 * has to.  What takes its payloads from a text has them looked for and copied
 * in one pass.  For a stream:
 *
 *     while ((got = read(fd, text + held, ROOM - held)) > 0) {
 *             held += got;
 *             (void)shmlog_batch_add_records(batch, text, held, '\n',
 *                                            UINT64_MAX, &taken);
 *             status = shmlog_append_batch(log, batch, &options, NULL);
 *             if (status != 0)
 *                     break;
 *             shmlog_batch_clear(batch);
 *             memmove(text, text + taken, held -= taken);
 *     }
 *
 * where the batch has room for all that the text can become: a record of no
 * bytes takes one byte there, and its frame four.  What is held at the end is a
 * record without its delimiter, or begins with one that no payload can be: such
 * a record fills `text` in the end, and read(2) is asked for no bytes.  A batch
 * belongs to no log, and to one thread at a time.
 */
struct shmlog_batch;

/*
 * Makes an empty batch with room for so many bytes of frames, 65,535 at least.
 * Stores it, to be closed with shmlog_batch_close().  0; -EINVAL for less room;
 * -ENOMEM.
 */
SHMLOG_API int shmlog_batch_open(size_t room_bytes,
                                 struct shmlog_batch **batch_out);

/* Frees a batch, and the frames in it; NULL is ignored. */
SHMLOG_API void shmlog_batch_close(struct shmlog_batch *batch);

/*
 * Adds the frame of a payload, which may be NULL if it has no bytes, and is not
 * in the batch.  0; SHMLOG_ERR_PAYLOAD_SIZE if it has more than 65,531;
 * SHMLOG_ERR_FULL if the batch has no room for its frame.  Nothing is added
 * then.
 */
SHMLOG_API int shmlog_batch_add(struct shmlog_batch *batch, const void *payload,
                                size_t size_bytes);

/*
 * Adds the records at the start of a text that end in a delimiter, `most` of
 * them at most: each becomes a frame, whose payload is the record without that
 * byte.  Returns how many, and stores how many bytes of the text these are,
 * delimiters counted.  Ends before a record that is not all there, one that is
 * longer than a payload can be, and as soon as the batch has no room for a
 * frame of any size (65,535 bytes).  Never fails.  The text may be NULL if it
 * has no bytes, and is not in the batch.  If it changes meanwhile, as memory
 * that is shared may, the payloads have bytes of either, and the frames are
 * whole.
 */
SHMLOG_API uint64_t shmlog_batch_add_records(struct shmlog_batch *batch,
                                             const void *text, size_t bytes,
                                             unsigned char delimiter,
                                             uint64_t most,
                                             size_t *taken_bytes_out);

/*
 * Adds the whole frames at the start of bytes that are frames already, as a log
 * has them.  As shmlog_batch_add_records(), and ends before what is no frame.
 */
SHMLOG_API uint64_t shmlog_batch_add_frames(struct shmlog_batch *batch,
                                            const void *frames, size_t bytes,
                                            uint64_t most,
                                            size_t *taken_bytes_out);

/*
 * The frames of a batch, back to back, as they will be in the log: *bytes_out
 * bytes.  To be read, and not written to; valid until the next call with this
 * batch that is no append.  Never NULL; never fails.
 */
SHMLOG_API const unsigned char *
shmlog_batch_frames(const struct shmlog_batch *batch, size_t *bytes_out);

/* How many frames a batch has.  Never fails. */
SHMLOG_API uint64_t shmlog_batch_count(const struct shmlog_batch *batch);

/* How many bytes of frames there is room for behind them.  Never fails. */
SHMLOG_API size_t shmlog_batch_room(const struct shmlog_batch *batch);

/*
 * Takes the first so many frames out of a batch: those that an append has
 * committed.  All of them if it has fewer.  The room that they took is there
 * again once the batch is empty.  Never fails.
 */
SHMLOG_API void shmlog_batch_drop(struct shmlog_batch *batch, uint64_t frames);

/* Takes all frames out of it.  Never fails. */
SHMLOG_API void shmlog_batch_clear(struct shmlog_batch *batch);

/*
 * As shmlog_append_frames() for the frames of a batch, which stay there: an
 * append that was refused is made again with the same batch.  The same results,
 * but for SHMLOG_ERR_BAD_FRAMES.
 */
SHMLOG_API int shmlog_append_batch(struct shmlog *log,
                                   const struct shmlog_batch *batch,
                                   const struct shmlog_append_options *options,
                                   struct shmlog_append_result *result_out);

/*
 * Makes all that was committed to a log before this call last beyond a power
 * cut: `size`, and what was appended without SHMLOG_APPEND_SYNC, in any order.
 *
 * DURABILITY.  An append with SHMLOG_APPEND_SYNC waits until its frames are on
 * the disk, and only then moves `size` over them.  If all appends to a log do
 * that, then what is on the disk after a power cut at any moment is a whole log
 * that ends where a commit ended; bytes behind that mean nothing, as always.
 * The commit itself is among what lasts once this function has returned 0
 * behind it, or another append with that flag to the same log.  So in a stream
 * of appends one sync is enough for each, and the last one before a pause takes
 * one call of this function.
 *
 * Frames that were appended without that flag may be missing below `size` after
 * a power cut, and such a log is damaged: shmlog_verify() says so, and
 * shmlog_salvage() keeps what is whole.  A writer that takes no lock counts as
 * such an append.  Metadata is written before the frames, so that of a commit
 * that does not last may be there.
 *
 * 0; -EOPNOTSUPP where the file system keeps files in memory alone, so nothing
 * can last; -EIO, -ENOSPC, another -errno of fdatasync(2).  A failure is final,
 * here and in an append (which has then committed nothing): a later success
 * says nothing about what was to be written before, as the system may have
 * given that up.  The name of a new log lasts once its folder was synced by
 * fsync(2), which is the caller's.  Any thread may call it; takes no lock.
 */
SHMLOG_API int shmlog_sync(struct shmlog *log);

/*
 * Opens a session of appends, which makes a stream of small appends several
 * times as fast: with it in their options, they keep the lock and the write
 * access from one append to the next, until another process opens the log,
 * waits for the lock, or moves or renames something.  Other processes are as
 * safe as without it; one that waits for the lock has to wait until the session
 * is used or released.  So the caller has a duty: whenever it waits for
 * something else, it polls shmlog_append_session_fd() beside that, and calls
 * shmlog_append_session_release() once that is readable, or after some 100 ms
 * of silence.
 *
 * Nothing is kept in the first quarter of a second (20 ms with
 * SHMLOG_APPEND_SYNC) before 2 MiB were committed, within 100 ms after another
 * process came, with SHMLOG_APPEND_FORCE, or where the system cannot tell who
 * opens a file (it takes Linux 5.13 and a file system that can identify its
 * files).  A session belongs to one log, and is closed before it; closing one
 * that was in use takes 0.4 ms, at times 10 ms.  Its handle may be used in any
 * other way at the same time.
 * The functions of a session may be called from any thread.
 *
 * Stores the session, to be closed with shmlog_append_session_close().  0 or
 * -ENOMEM.
 */
SHMLOG_API int
shmlog_append_session_open(struct shmlog *log,
                           struct shmlog_append_session **session_out);

/* Releases what the session keeps and ends it; NULL is ignored. */
SHMLOG_API void
shmlog_append_session_close(struct shmlog_append_session *session);

/*
 * A descriptor to poll(2) for POLLIN while something is kept; else -1.  It
 * belongs to the session: it is neither read nor closed by the caller, and is
 * asked for anew before each poll.  Never fails.
 */
SHMLOG_API int
shmlog_append_session_fd(const struct shmlog_append_session *session);

/*
 * Wakes every reader that sleeps in shmlog_reader_wait(), before a small commit
 * that will wake them again.  Waking up takes longer than such a commit; this
 * lets both happen at the same time.  To be called as soon as the input is
 * known to be there, some 10 microseconds before the commit: the readers look
 * for it for 50 microseconds, and then sleep on.  Does nothing unless something
 * is kept, as the commit would not follow soon enough, or where this thread may
 * run on one processor only.
 */
SHMLOG_API void
shmlog_append_session_wake_early(const struct shmlog_append_session *session);

/*
 * Writes the first bytes of the frames of the next append, behind the committed
 * data where that append will have them, and lets the system begin to bring
 * them to the disk.  So a large commit with SHMLOG_APPEND_SYNC has most of its
 * frames there by the time that the last of them was made, and its sync has
 * less to wait for.  May be called again and again as there are more: `frames`
 * holds `bytes` of them in all, and those of an earlier call are not written
 * anew.  The next append with this session begins with these very bytes, unless
 * shmlog_append_session_release() comes before.  Nothing is committed by this.
 *
 * A hint, which reports nothing: it does nothing unless something is kept and
 * the log has room for these bytes, and the append then writes all of them.
 */
SHMLOG_API void
shmlog_append_session_write_ahead(struct shmlog_append_session *session,
                                  const void *frames, size_t bytes);

/*
 * Releases the lock and the write access, if they are kept.  The session goes
 * on: a later append with it may keep them again.  Never fails.
 */
SHMLOG_API void
shmlog_append_session_release(struct shmlog_append_session *session);

/* ------------------------------------------------------- growing, rotating */

enum shmlog_change_flags {
	SHMLOG_CHANGE_FORCE = 1u << 0, /* even where another writer is seen */
};

/* How to come by the lock for shmlog_grow() and shmlog_rotate(); all zeros:
 * without waiting for it. */
struct shmlog_change_options {
	unsigned flags;          /* of enum shmlog_change_flags */
	int64_t lock_timeout_ns; /* as in struct shmlog_append_options */
	int (*waiting)(void *context, int status); /* likewise; may be NULL */
	void *context;
};

/*
 * Makes the file of a log longer, to `capacity` bytes, under the lock.  The
 * new space is reserved.  `options` may be NULL.  A log that has as many bytes
 * already is left as it is.
 *
 * Readers, appenders and sessions of this library, in this process or another,
 * go on and use the new room without being told.  A process that has the log
 * mapped by another library has to open it again: a writer of the Node package
 * takes the log for full at the old end, and a reader of that package stops at
 * the first frame behind it (ERR_SHM_MAPPING_GONE).  So a live writer that
 * takes no lock is refused with SHMLOG_ERR_WRITER_ACTIVE, unless
 * SHMLOG_CHANGE_FORCE is given.  So is a struct shmlog_writer, which finds the
 * new room at its next allocate if the growth was forced; one of `log` itself
 * is refused always.
 *
 * 0; SHMLOG_ERR_CAPACITY if the log has more than `capacity` bytes, or for more
 * than a file can have; -ENOSPC, -EFBIG, -EDQUOT and another -errno with the
 * file as long as before; SHMLOG_ERR_LOCK_TIMEOUT, _WRITER_ACTIVE, _REPLACED,
 * _MAPPING_GONE and the header's statuses; -ENOENT, -EACCES, -EROFS, -EINTR.
 * What a crash leaves is the log as it was, or a longer one whose new space may
 * be reserved in part.
 */
SHMLOG_API int shmlog_grow(struct shmlog *log, uint64_t capacity,
                           const struct shmlog_change_options *options);

/* Room for the name of a rotated log. */
#define SHMLOG_ROTATED_NAME_BYTES 4096u

struct shmlog_rotate_result {
	char path[SHMLOG_ROTATED_NAME_BYTES]; /* the old log's new name; ""
	                                       * unless it got one */
	uint64_t end_cursor;                  /* where the old log ends */
};

/*
 * Makes room: gives the log the name NAME.YYYYMMDDTHHMMSSZ, the time being UTC,
 * and puts an empty log in its place,
 * of the same capacity, permission bits and owner, with the same header but for
 * `size`, metadata included, and with its space reserved if the old one's is.
 * NAME is what the name of the log leads to, where that is a symbolic link.
 * Where names of this second are there already, it gets the number behind
 * theirs as well (NAME.YYYYMMDDTHHMMSSZ.1), whatever follows that number in
 * them, so the names tell the order of the rotations as long as the clock does.
 * `options` may be NULL.
 *
 * It is done under the lock, and the two files are exchanged by one call, so
 * the name always leads to a whole log.  Every append that was successful is in
 * the old log, or behind the exchange in the new one.  `log`, and every other
 * handle on the old file, stays open on that: it reads to its end, and an
 * append through it is refused with SHMLOG_ERR_REPLACED, however it waited or
 * kept the lock.  A follower that sees shmlog_check_name() say so reads on
 * until there is no more, and has then read all that there will ever be.
 *
 * Where the system or the file system cannot exchange two files, the old one
 * gets its second name first and then the new one takes its place.  The name
 * always leads to a whole log then, too.
 *
 * A writer that takes no lock would go on in the renamed file, so a live one is
 * refused with SHMLOG_ERR_WRITER_ACTIVE, unless SHMLOG_CHANGE_FORCE is given.
 * If one that came meanwhile is seen behind the exchange, the log has been
 * rotated, *result_out is written, and SHMLOG_ERR_IN_DOUBT is returned.
 *
 * 0 or one of these; SHMLOG_ERR_REPLACED if the name leads to another file by
 * now (another process has rotated the log, perhaps); if a program that knows
 * nothing of the lock gave the name to another file in the moment of the
 * exchange, that one was rotated, and result_out->path has its name.
 * SHMLOG_ERR_LOCK_TIMEOUT, _MAPPING_GONE and the header's statuses; -EPERM if
 * the owner cannot be given to another file, or the directory does not allow
 * it; -ENOSPC; -ENAMETOOLONG; -ENOENT for a log that was opened without a
 * name; -EACCES, -EINTR, another -errno.  Nothing has changed then, and
 * nothing is left behind.
 *
 * A process that is killed leaves the log as it was or rotated, and before the
 * exchange perhaps an empty log under the new name.  Without the exchange call
 * it may also leave the log with two names; appending goes on, and the next
 * rotation leaves the second one alone.
 */
SHMLOG_API int shmlog_rotate(struct shmlog *log,
                             const struct shmlog_change_options *options,
                             struct shmlog_rotate_result *result_out);

enum shmlog_remove_flags {
	SHMLOG_REMOVE_IF_UNREAD = 1u << 0, /* not while a process reads it */
	SHMLOG_REMOVE_DRY_RUN = 1u << 1,   /* only say whether it would go */
};

struct shmlog_remove_result {
	char path[SHMLOG_ROTATED_NAME_BYTES]; /* the file has this name now;
	                                       * "" unless it got one */
};

/*
 * Removes the name of a log, if no other process writes it, or with
 * SHMLOG_REMOVE_IF_UNREAD has it open or mapped at all.  `log` stays open on
 * the file, which is gone once nobody has it open.  `flags` are those of enum
 * shmlog_remove_flags; `result_out` may be NULL.
 *
 * Nothing but a lease (fcntl(2)) and what /proc shows tells who holds the log,
 * never a time stamp.  It is held by the lease meanwhile: a process that opens
 * it waits, is noticed, and gets it as it was.  An appender counts as a writer
 * also while it waits for something to append.
 *
 * The name is moved aside before the file is removed by it, to one beside it
 * that begins with a dot, and what was moved is looked at: if it is not this
 * log, as another program has replaced it a moment ago, or somebody has come,
 * it is moved back.  If the first name has been given to another file by then,
 * result_out->path has the name that it keeps.  A process that is killed
 * between the two leaves the log under that name.
 *
 * 0 if the log was removed, or with SHMLOG_REMOVE_DRY_RUN would be.
 * SHMLOG_ERR_LOCK_TIMEOUT, _WRITER_ACTIVE, _READER_ACTIVE: it is held;
 * SHMLOG_ERR_NOT_REGULAR: the name is a symbolic link; SHMLOG_ERR_REPLACED: the
 * name leads to another file; the statuses of shmlog_look() for what is no log;
 * -ENOTSUP where the system does not tell whether anybody holds it; -ENOENT,
 * also for a log that was opened without a name; -EACCES, -EPERM, -EROFS,
 * another -errno.  Nothing has changed then.  SHMLOG_ERR_IN_DOUBT: it was
 * removed, and a process that was just opening it has it without its name.
 */
SHMLOG_API int shmlog_remove(struct shmlog *log, unsigned flags,
                             struct shmlog_remove_result *result_out);

/* ------------------------------------------------------------- processes */

/* A process that has a log open or mapped. */
struct shmlog_process {
	int64_t pid;
	uint32_t uid;
	bool writes;         /* has it open or mapped for writing */
	bool mapped;         /* has it mapped */
	bool maps_writable;  /* has it mapped for writing, as a Node writer
	                      * has; a process that has it only open for
	                      * writing may have inherited the descriptor */
	bool appends;        /* under the lock: has a session open, or the lock,
	                      * or waits for that */
	bool holds_lock;     /* has the lock */
	bool waits_for_lock; /* waits for it */
	unsigned followers;  /* how many readers with SHMLOG_READER_SHOWN it has
	                      * on the log */
	uint64_t follower_offset; /* where the one of them is that has most to
	                           * read: an offset in the file; 0: none */
	char command[64];         /* as the system keeps it; may be cut */
};

/*
 * Calls `visit` for each process other than the caller that is seen to have
 * the log open or mapped, until it returns nonzero.  Returns how many
 * processes may not be looked into (another user's; another PID namespace's
 * are not even counted), or -errno if the look failed: the list may have gaps
 * then.  -ENOTSUP where the system has no such list; -EMFILE, -ENFILE, -ENOMEM
 * (it takes three descriptors); -ENOENT where /proc is not mounted.  Good for
 * naming, not for deciding.  Takes milliseconds.
 *
 * `visit` is called on this thread with `context`, which the library does not
 * look at; the process that it is told of is valid during the call alone.
 */
SHMLOG_API int shmlog_processes(const struct shmlog *log,
                                int (*visit)(void *context,
                                             const struct shmlog_process *),
                                void *context);

/* A process that shows how far it has read. */
struct shmlog_follower {
	int64_t pid;
	uint32_t uid;
	unsigned readers; /* that show their place */
	uint64_t cursor;  /* of the one that has most to read: all frames before
	                   * it were handed out */
	char command[64]; /* as in struct shmlog_process */
};

/*
 * Calls `visit` for each process other than the caller that has a reader with
 * SHMLOG_READER_SHOWN on the log, until it returns nonzero.  A process that was
 * forked from such a one shows the same place until it closes its descriptors.
 * A cursor is what that process says: it may be beyond the end of the log.
 * Returns what shmlog_processes() does, -ENOTSUP included, and costs as much.
 */
SHMLOG_API int shmlog_followers(const struct shmlog *log,
                                int (*visit)(void *context,
                                             const struct shmlog_follower *),
                                void *context);

/* A file that a process has open or mapped: what stat(2) says of it. */
struct shmlog_held_file {
	uint64_t device;
	uint64_t inode;
	bool named; /* false if all its names are gone; true also where the
	             * system does not tell, as of one that is mapped alone and
	             * not shared */
};

/* A process that has a file open or mapped. */
struct shmlog_hold {
	struct shmlog_held_file file;
	/* Leads to the file for as long as it is held so, whether it has a name
	 * or not.  A name in /proc: another user's, or one of a mapping, takes
	 * privileges to be opened. */
	const char *path;
	const struct shmlog_process *process;
};

/*
 * shmlog_processes() for any number of files with one look at all processes:
 * calls `visit` for each process other than the caller and each file that it
 * holds, if `wants` says that the file matters.  Both are called on this thread
 * with `context`; what they are told of is valid during the call alone.
 * `wants` is asked several times for one file.  Nonzero from `visit` ends the
 * look.  The same results.
 */
SHMLOG_API int
shmlog_holds(bool (*wants)(void *context, const struct shmlog_held_file *file),
             int (*visit)(void *context, const struct shmlog_hold *hold),
             void *context);

/*
 * Whether there may be processes that shmlog_processes() neither visits nor
 * counts: those outside this PID namespace, where it is not the system's first,
 * or those that /proc is mounted to hide.  Also true where the system has no
 * list of processes.  Never fails.
 */
SHMLOG_API bool shmlog_processes_hidden(void);

/*
 * How much of the system the last look for a writer that takes no lock could
 * not see: 0 if nothing, as where the system itself knows of any writer, or
 * before there was a look.  Otherwise the processes were looked at, once, and
 * a positive number of them may not be looked into; -EACCES if some may not
 * even be counted; another -errno of shmlog_processes() if that failed.  An
 * append that succeeds then is no proof that no such writer has the log open.
 */
SHMLOG_API int shmlog_unseen_writers(struct shmlog *log);

/*
 * The process that holds the lock of a log now, by its number in this PID
 * namespace; 0 if none does or the system does not tell.  Good for naming, not
 * for deciding: the process may have released it, or ended, right behind the
 * look.  Never fails.
 */
SHMLOG_API int64_t shmlog_lock_holder(const struct shmlog *log);

/*
 * Marks the pipe or FIFO `fd` as one that this process fills with what it reads
 * from the log, until the log is closed.  So a process that appends what it
 * takes from a pipe can find out that it would append the log to itself.
 *
 * 0, also where `fd` is no pipe; -errno of fstat(2); -ENOTSUP where the system
 * has no such marks.  Costs one system call or two.
 */
SHMLOG_API int shmlog_mark_output(struct shmlog *log, int fd);

/*
 * Whether a live process has marked the pipe that `fd` reads from as filled
 * from this log: 1 or 0; 0 where `fd` is no pipe or the system has no such
 * marks; -errno of fstat(2).  A program between two pipes hides the one from
 * the other.  Costs one system call or two.
 */
SHMLOG_API int shmlog_is_fed(const struct shmlog *log, int fd);

/*
 * shmlog_processes() for any file, by its name: one that cannot be opened as a
 * log, for instance.  The same results, and -errno of stat(2).  `visit` is
 * called on this thread; its argument is valid during the call alone.
 */
SHMLOG_API int shmlog_processes_at(const char *path,
                                   int (*visit)(void *context,
                                                const struct shmlog_process *),
                                   void *context);

/*
 * How far into the file at `path`, at most to the offset `end`, the mappings of
 * a process reach that it has in memory: stores the offset behind the last page
 * of them that is present, or 0 if none is.  A page is present once the process
 * has touched it, or another one in the same 64 KiB, as the system maps those
 * around it, too; it may not be any more where memory was short.  So this
 * tells, roughly, how far a process has read that shows no place, as a reader
 * of the Node package.
 *
 * 0; -ENOENT if the process or the file is not there, or the process does not
 * have it mapped below `end`; -EACCES or -EPERM if it may not be looked into;
 * -ENOTSUP where the system does not tell; another -errno.
 */
SHMLOG_API int shmlog_touched_end(const char *path, int64_t pid, uint64_t end,
                                  uint64_t *offset_out);

/* --------------------------------------------------------------- proving */

/* A part of the committed data that holds no provable frame. */
struct shmlog_damage {
	struct shmlog_fault fault; /* the first thing wrong in it */
	uint64_t end_cursor;       /* where good frames begin again, or the end
	                            * of the committed data */
	uint64_t good_before;      /* frames before it, from the log's start */
};

/*
 * What shmlog_verify() calls on its way, on the thread of that call.  Frames,
 * payloads and damage are valid during the call alone.
 */
struct shmlog_verify_visitor {
	/* Each may be NULL; nonzero ends the walk, which then returns it. */
	int (*frames)(void *context, const struct shmlog_frame *frames,
	              size_t count);
	int (*damage)(void *context, const struct shmlog_damage *damage);
	void *context;
	/* frames() makes no use of payloads, which then may be NULL: large
	 * ones are passed over without being read. */
	bool sizes_only;
	/* Called now and then while the place behind damage is searched, where
	 * no other function is; nonzero ends the walk, too. */
	int (*keep_going)(void *context);
};

/* What shmlog_verify() found: counts of frames, ranges and bytes. */
struct shmlog_verify_report {
	struct shmlog_header header; /* as the one load of `size` found it */
	uint64_t frames;             /* good ones */
	uint64_t payload_bytes;      /* in these */
	uint64_t damaged_ranges;
	uint64_t damaged_bytes;
	uint64_t frames_after_damage; /* good ones behind the first damage */
	uint64_t frames_in_gap;       /* well-formed frames that fill the space
	                               * between headerSize and dataOffset
	                               * exactly: dataOffset is likely wrong */
	uint64_t leftover_frames;     /* well-formed frames behind the commit */
	bool leftover_bytes;          /* something but zeros in the 64 KiB
	                               * there */
	bool torn;                    /* the last damage is a torn tail */
};

/*
 * Walks all committed frames and reports every damaged range.  Reads with
 * pread(2) only, changes nothing, takes no lock, and is bounded by one load
 * of `size`, so a log that is being written raises no false alarm.  Behind
 * damage it looks for the place where a chain of frames goes on.  Frames are
 * visited in order.
 *
 * Where the visitor has no frames(), this is shmlog_count().
 *
 * Returns how many damaged ranges there are, INT32_MAX at most, so 0 for a
 * sound log (a header_size beyond data_offset, and frames_in_gap, count as one
 * each), a visitor's nonzero result, or SHMLOG_ERR_MAPPING_GONE, -ENOMEM,
 * -EIO, or SHMLOG_ERR_NO_HEADER, _HEADER_SIZE, _DATA_OFFSET, _SIZE if a word
 * of the header is impossible by now.
 * *report_out is written in every case, as far as the walk came.
 *
 * `visitor` may be NULL.  Takes a MiB of memory, and up to 12 MiB more once
 * damage is met.  Several threads may verify one log at the same time.
 */
SHMLOG_API int shmlog_verify(struct shmlog *log,
                             const struct shmlog_verify_visitor *visitor,
                             struct shmlog_verify_report *report_out);

/* What shmlog_count() calls on its way, on the thread of that call, and what
 * it counts. */
struct shmlog_counter {
	/* Each may be NULL; nonzero ends the walk, which then returns it. */

	/* Called now and then with how many of the committed bytes the walk is
	 * over.  It may be told less than before, once, by a walk that starts
	 * over. */
	int (*passed)(void *context, uint64_t bytes);
	int (*damage)(void *context, const struct shmlog_damage *damage);
	int (*keep_going)(void *context); /* as in shmlog_verify_visitor */
	void *context;
	/* NULL, or counters for the sizes of payloads from 0 to
	 * SHMLOG_PAYLOAD_MAX_BYTES: to each is added how many good frames have
	 * a payload of that size, once the walk has come to the end. */
	uint64_t *size_counts;
};

/*
 * Does what shmlog_verify() does, for those who want no frames, at up to twice
 * the speed.  A log of 4 MiB or more whose file system keeps files in memory is
 * first walked from both ends at once; only if the two walks do not meet, one
 * from the start says why.  If a second processor is there, the walk from the
 * end has a thread of its own, which takes no signal and ends before this
 * returns.
 *
 * `counter` may be NULL.  The same results; *report_out is written in every
 * case, but with no frames where a walk from both ends was ended.  Takes a MiB
 * of memory, another one for size_counts, and up to 12 MiB more once damage is
 * met.  Any thread may call it.
 */
SHMLOG_API int shmlog_count(struct shmlog *log,
                            const struct shmlog_counter *counter,
                            struct shmlog_verify_report *report_out);

/*
 * Writes all good frames of a log, as shmlog_verify() finds them, to a new
 * log with the capacity and the metadata of the old one, its space reserved if
 * that of the old one is, verifies that, and only then gives it the name
 * `path`, with the permission bits `mode` less the umask.  The old log is only
 * read.
 * `visitor`, which may be NULL, is told of what is met.
 *
 * Returns how many damaged ranges were left out (0: nothing was lost).  A
 * visitor's nonzero result, or an error of shmlog_create() or
 * shmlog_verify(), is returned with nothing left behind.  *report_out is that
 * of the old log, and is written as by shmlog_verify().
 */
SHMLOG_API int shmlog_salvage(struct shmlog *log, const char *path, mode_t mode,
                              const struct shmlog_verify_visitor *visitor,
                              struct shmlog_verify_report *report_out);

#ifdef __cplusplus
}
#endif

#endif /* SHMLOG_H */
