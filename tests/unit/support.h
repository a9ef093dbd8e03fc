/*
 * What the unit tests share: a scratch directory in memory, logs built byte
 * by byte without the library, child processes, and the plain writer that
 * behaves as the Node package does.
 */
#ifndef TESTS_UNIT_SUPPORT_H
#define TESTS_UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <cmocka.h>

#include <shmlog.h>

#define TEST(name) static void name(void **state __attribute__((unused)))

/* As cmocka's own, and says that a test begins, so that one which hangs can be
 * named. */
#undef cmocka_unit_test
#define cmocka_unit_test(test)                                            \
	cmocka_unit_test_prestate_setup_teardown(test, test_begins, NULL, \
	                                         (void *)(uintptr_t) #test)
int test_begins(void **state);

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Where the golden files are, seen from the directory the tests run in. */
#ifndef TEST_FIXTURES
#define TEST_FIXTURES "tests/fixtures"
#endif

/* ------------------------------------------------------------ assertions */

/* Compares two results of the library and names both when they differ. */
#define expect_status(got, want) \
	check_status((got), (want), #got, __FILE__, __LINE__)
void check_status(int got, int want, const char *what, const char *file,
                  int line);

/* Fails the test with a message made as printf(3) makes it. */
#define fail_with(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)
void fail_at(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4), noreturn));

/* Checks a frame's place, size and bytes. */
#define expect_frame(frame, payload, size_bytes, cursor)                  \
	check_frame((frame), (payload), (size_bytes), (cursor), __FILE__, \
	            __LINE__)
void check_frame(const struct shmlog_frame *frame, const void *payload,
                 size_t size_bytes, uint64_t cursor, const char *file,
                 int line);

/* How often to do what is done in quantity: a tenth of `full` where
 * SHMLOG_TEST_DEAR is set, as under a checker that slows every round down. */
int rounds_of(int full);

/* The step of a loop over all places or bits: 1, or 7 where SHMLOG_TEST_DEAR is
 * set, which meets each bit of a byte and each byte of a word in turn. */
unsigned step_of_all(void);

/* ----------------------------------------------------- scratch directory */

/* Group setup and teardown: one directory in memory a program, removed with
 * all that is in it. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* A path in the directory, where nothing is left of an earlier use.  The
 * string stays valid for the next fifteen calls. */
const char *scratch(const char *name);

/* The same without removing what is there. */
const char *scratch_keep(const char *name);

/* How many entries a directory has, "." and ".." not counted. */
size_t directory_entries(const char *path);

/* ------------------------------------------------------------ file bytes */

uint64_t file_length(const char *path);
uint64_t file_blocks(const char *path);
/* All bytes of a file; the caller frees them. */
unsigned char *file_bytes(const char *path, size_t *length_out);
void file_put(const char *path, uint64_t offset, const void *bytes,
              size_t length);
void file_put64(const char *path, uint64_t offset, uint64_t value);
uint64_t file_get64(const char *path, uint64_t offset);
void file_truncate(const char *path, uint64_t length);
void expect_file(const char *path, const void *bytes, size_t length);

/* -------------------------------------------------------------- raw logs */

/* A log in private memory, written without a line of the library. */
struct raw_log {
	unsigned char *bytes;
	size_t capacity;
	uint64_t data_offset;
	uint64_t size; /* as the header says it */
};

void raw_init(struct raw_log *raw, size_t capacity);
/* With the first frame elsewhere than behind the header. */
void raw_init_at(struct raw_log *raw, size_t capacity, uint64_t data_offset);
/* A committed frame; returns its cursor. */
uint64_t raw_append(struct raw_log *raw, const void *payload,
                    size_t size_bytes);
uint64_t raw_append_text(struct raw_log *raw, const char *text);
/* A committed frame of `size_bytes` bytes `fill`; any size, wrapping round
 * 65,536 as the Node package does. */
uint64_t raw_append_fill(struct raw_log *raw, unsigned char fill,
                         size_t size_bytes);
/* Moves the size word alone. */
void raw_set_size(struct raw_log *raw, uint64_t size);
void raw_put16(struct raw_log *raw, uint64_t offset, unsigned value);
void raw_put64(struct raw_log *raw, uint64_t offset, uint64_t value);
unsigned raw_get16(const struct raw_log *raw, uint64_t offset);
void raw_write(const struct raw_log *raw, const char *path);
void raw_free(struct raw_log *raw);

/* A log of `count` frames "frame 0", "frame 1", … written to `path`. */
void write_numbered_log(const char *path, size_t capacity, unsigned count);
/* The text of frame `number` of such a log; valid until the next call. */
const char *numbered_text(unsigned number);

/* --------------------------------------------------------------- handles */

/* Open, or fail the test. */
struct shmlog *open_log(const char *path);
struct shmlog_reader *open_reader(struct shmlog *log, unsigned flags,
                                  size_t window_bytes);
struct shmlog_writer *open_writer(struct shmlog *log, unsigned flags);
/* Commits one frame through a writer or fails the test. */
void write_frame(struct shmlog_writer *writer, const void *payload,
                 size_t size_bytes);
/* Appends one frame with shmlog_append_frames(), waiting for the lock. */
int append_payload(struct shmlog *log, const void *payload, size_t size_bytes,
                   unsigned flags);

/* The ways to read, which must all give the same answers. */
struct reader_kind {
	const char *name;
	unsigned flags;
	size_t window_bytes;
};
#define READER_KINDS 3
extern const struct reader_kind reader_kinds[READER_KINDS];
struct shmlog_reader *open_kind(struct shmlog *log, size_t kind);

/* ---------------------------------------------------------------- chance */

struct chance {
	uint64_t state;
};

/* A generator whose seed is printed and can be given by SHMLOG_TEST_SEED. */
struct chance chance_start(const char *test, uint64_t seed);
uint64_t chance_next(struct chance *chance);
uint64_t chance_below(struct chance *chance, uint64_t bound);

/* -------------------------------------------------- time and processes */

int64_t now_ns(void);
void sleep_ns(int64_t duration_ns);
#define MILLISECONDS(count) ((int64_t)(count)*1000000)

/* A limit for what takes no longer than `idle_ns` on an idle machine; a busy one
 * takes as much longer as SHMLOG_TEST_PATIENCE says, by default ten times. */
int64_t patience_ns(int64_t idle_ns);

/* The time that processors spent on this process and on those of its children
 * that it waited for.  Unlike the time that passes, it does not depend on what
 * else the machine does. */
int64_t processor_ns(void);

/* The time that this process wanted a processor and had none; 0 where the
 * system does not tell. */
int64_t held_up_ns(void);

/* Runs `body` in a child, which ends with its result.  A child must not use
 * cmocka's assertions: they would go on with the parent's tests. */
pid_t child_start(int (*body)(void *context), void *context);
/* The child's exit status, or the negated number of the signal. */
int child_wait(pid_t pid);
/* Kills the child with SIGKILL and collects it. */
void child_kill(pid_t pid);

/* A process that has a log mapped for writing as the Node package does: its
 * cursor cached at the start, plain stores, no lock, no wake. */
struct plain_writer {
	pid_t pid;
	int commands;
	int answers;
};

void plain_writer_start(struct plain_writer *writer, const char *path);
/* A process that has it open and mapped for reading alone. */
void plain_reader_start(struct plain_writer *reader, const char *path);
/* Appends a frame of `size_bytes` bytes 'p' at its own cursor. */
void plain_writer_append(struct plain_writer *writer, uint64_t size_bytes);
/* Stores `size` in the header, whatever it was. */
void plain_writer_store_size(struct plain_writer *writer, uint64_t size);
void plain_writer_stop(struct plain_writer *writer);
void plain_writer_kill(struct plain_writer *writer);

/* Whether this build and this process can see a writer that takes no lock;
 * tests of its refusal are skipped where it cannot. */
bool plain_writers_are_visible(void);

/* Whether valgrind runs this, which tells a handler of SIGBUS a wrong place. */
bool runs_on_valgrind(void);

#endif /* TESTS_UNIT_SUPPORT_H */
