/* What the unit tests share; see support.h. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define HEADER_BYTES 24
#define SIZE_WORD 16

/* ------------------------------------------------------------ assertions */

static const char *name_of(int status)
{
	const char *name = shmlog_status_name(status);

	return name != NULL ? name : shmlog_strerror(status);
}

void check_status(int got, int want, const char *what, const char *file,
                  int line)
{
	if (got == want)
		return;
	print_error("%s: %d (%s), not %d", what, got,
	            got < 0 ? name_of(got) : "a count", want);
	print_error(" (%s)\n", want < 0 ? name_of(want) : "a count");
	_fail(file, line);
}

void fail_at(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprint_error(format, arguments);
	va_end(arguments);
	print_error("\n");
	_fail(file, line);
	abort();
}

void check_frame(const struct shmlog_frame *frame, const void *payload,
                 size_t size_bytes, uint64_t cursor, const char *file, int line)
{
	if (frame->cursor != cursor || frame->size_bytes != size_bytes ||
	    frame->next_cursor != cursor + size_bytes + 4)
		fail_at(file, line,
		        "frame %" PRIu64 "..%" PRIu64 " of %" PRIu32
		        " bytes, not %zu bytes at %" PRIu64,
		        frame->cursor, frame->next_cursor, frame->size_bytes,
		        size_bytes, cursor);
	if (size_bytes > 0 && memcmp(frame->payload, payload, size_bytes) != 0)
		fail_at(file, line, "wrong payload at cursor %" PRIu64, cursor);
}

/* ----------------------------------------------------------- which test */

int test_begins(void **state)
{
	/* For the program that runs the tests, not for people. */
	if (getenv("SHMLOG_TEST_MEMORY") != NULL)
		print_message("begin 0 %s\n", (const char *)*state);
	return 0;
}

/* -------------------------------------------------------------- quantity */

int rounds_of(int full)
{
	return getenv("SHMLOG_TEST_DEAR") != NULL ? full / 10 : full;
}

unsigned step_of_all(void)
{
	return getenv("SHMLOG_TEST_DEAR") != NULL ? 7 : 1;
}

/* ----------------------------------------------------- scratch directory */

static char scratch_directory[256];

int scratch_setup(void **state)
{
	const char *parent = getenv("SHMLOG_TEST_MEMORY");

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (parent == NULL)
		parent = "/dev/shm";
	if (access(parent, W_OK | X_OK) != 0)
		parent = getenv("TMPDIR");
	if (parent == NULL || strlen(parent) > 200)
		parent = "/tmp";
	snprintf(scratch_directory, sizeof(scratch_directory),
	         "%s/shmlog-test-XXXXXX", parent);
	if (mkdtemp(scratch_directory) == NULL)
		return -1;
	/* Tests that give up their privileges must still get in. */
	return chmod(scratch_directory, 0755);
}

static int remove_entry(const char *path, const struct stat *file, int kind,
                        struct FTW *position)
{
	(void)file;
	(void)kind;
	(void)position;
	return remove(path);
}

int scratch_teardown(void **state)
{
	(void)state;
	return nftw(scratch_directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_keep(const char *name)
{
	static char paths[16][320];
	static unsigned turn;
	char *path = paths[turn++ % COUNT_OF(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch_directory, name);
	return path;
}

const char *scratch(const char *name)
{
	const char *path = scratch_keep(name);

	(void)unlink(path);
	return path;
}

size_t directory_entries(const char *path)
{
	DIR *directory = opendir(path);
	size_t count = 0;

	if (directory == NULL)
		fail_with("cannot list %s", path);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count - 2;
}

/* ------------------------------------------------------------ file bytes */

static struct stat file_stat(const char *path)
{
	struct stat file;

	if (stat(path, &file) != 0)
		fail_with("cannot stat %s: %s", path, strerror(errno));
	return file;
}

uint64_t file_length(const char *path)
{
	return (uint64_t)file_stat(path).st_size;
}

uint64_t file_blocks(const char *path)
{
	return (uint64_t)file_stat(path).st_blocks;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		fail_with("cannot open %s: %s", path, strerror(errno));
	return fd;
}

static void read_file(const char *path, uint64_t offset, void *bytes,
                      size_t length)
{
	int fd = open_file(path, O_RDONLY);
	size_t done = 0;

	while (done < length) {
		ssize_t got = pread(fd, (unsigned char *)bytes + done,
		                    length - done, (off_t)(offset + done));

		if (got <= 0)
			fail_with("%s ends before offset %" PRIu64, path,
			          offset + length);
		done += (size_t)got;
	}
	close(fd);
}

unsigned char *file_bytes(const char *path, size_t *length_out)
{
	size_t length = (size_t)file_length(path);
	unsigned char *bytes = malloc(length + 1);

	assert_non_null(bytes);
	read_file(path, 0, bytes, length);
	*length_out = length;
	return bytes;
}

void file_put(const char *path, uint64_t offset, const void *bytes,
              size_t length)
{
	int fd = open_file(path, O_WRONLY);

	if (pwrite(fd, bytes, length, (off_t)offset) != (ssize_t)length)
		fail_with("cannot write %s: %s", path, strerror(errno));
	close(fd);
}

void file_put64(const char *path, uint64_t offset, uint64_t value)
{
	unsigned char bytes[8];

	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(value >> (8 * i));
	file_put(path, offset, bytes, sizeof(bytes));
}

uint64_t file_get64(const char *path, uint64_t offset)
{
	unsigned char bytes[8];
	uint64_t value = 0;

	read_file(path, offset, bytes, sizeof(bytes));
	for (unsigned i = 8; i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

void file_truncate(const char *path, uint64_t length)
{
	if (truncate(path, (off_t)length) != 0)
		fail_with("cannot truncate %s: %s", path, strerror(errno));
}

void expect_file(const char *path, const void *bytes, size_t length)
{
	size_t found_length;
	unsigned char *found = file_bytes(path, &found_length);
	const unsigned char *wanted = bytes;

	if (found_length != length)
		fail_with("%s has %zu bytes, not %zu", path, found_length,
		          length);
	for (size_t i = 0; memcmp(found + i, wanted + i, length - i) != 0;
	     i++) {
		if (found[i] != wanted[i])
			fail_with("%s: byte %zu is %02x, not %02x", path, i,
			          found[i], wanted[i]);
	}
	free(found);
}

/* -------------------------------------------------------------- raw logs */

void raw_init_at(struct raw_log *raw, size_t capacity, uint64_t data_offset)
{
	raw->bytes = calloc(1, capacity + 1);
	assert_non_null(raw->bytes);
	raw->capacity = capacity;
	raw->data_offset = data_offset;
	raw_put64(raw, 0, HEADER_BYTES);
	raw_put64(raw, 8, data_offset);
	raw_set_size(raw, data_offset);
}

void raw_init(struct raw_log *raw, size_t capacity)
{
	raw_init_at(raw, capacity, HEADER_BYTES);
}

uint64_t raw_append(struct raw_log *raw, const void *payload, size_t size_bytes)
{
	uint64_t start = raw->size;
	size_t total = size_bytes + 4;

	assert_true(total <= raw->capacity - start);
	raw_put16(raw, start, (unsigned)(total & 0xffff));
	if (size_bytes > 0)
		memcpy(raw->bytes + start + 2, payload, size_bytes);
	raw_put16(raw, start + total - 2, (unsigned)(total & 0xffff));
	raw_set_size(raw, start + total);
	return start - raw->data_offset;
}

uint64_t raw_append_text(struct raw_log *raw, const char *text)
{
	return raw_append(raw, text, strlen(text));
}

uint64_t raw_append_fill(struct raw_log *raw, unsigned char fill,
                         size_t size_bytes)
{
	unsigned char *payload = malloc(size_bytes + 1);

	assert_non_null(payload);
	memset(payload, fill, size_bytes + 1);

	uint64_t cursor = raw_append(raw, payload, size_bytes);

	free(payload);
	return cursor;
}

void raw_set_size(struct raw_log *raw, uint64_t size)
{
	raw->size = size;
	raw_put64(raw, SIZE_WORD, size);
}

void raw_put16(struct raw_log *raw, uint64_t offset, unsigned value)
{
	raw->bytes[offset] = (unsigned char)(value & 0xff);
	raw->bytes[offset + 1] = (unsigned char)(value >> 8 & 0xff);
}

void raw_put64(struct raw_log *raw, uint64_t offset, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		raw->bytes[offset + i] = (unsigned char)(value >> (8 * i));
}

unsigned raw_get16(const struct raw_log *raw, uint64_t offset)
{
	return raw->bytes[offset] | (unsigned)raw->bytes[offset + 1] << 8;
}

void raw_write(const struct raw_log *raw, const char *path)
{
	int fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);

	if (write(fd, raw->bytes, raw->capacity) != (ssize_t)raw->capacity)
		fail_with("cannot write %s: %s", path, strerror(errno));
	close(fd);
}

void raw_free(struct raw_log *raw)
{
	free(raw->bytes);
	raw->bytes = NULL;
}

const char *numbered_text(unsigned number)
{
	static char text[32];

	snprintf(text, sizeof(text), "frame %u", number);
	return text;
}

void write_numbered_log(const char *path, size_t capacity, unsigned count)
{
	struct raw_log raw;

	raw_init(&raw, capacity);
	for (unsigned i = 0; i < count; i++)
		raw_append_text(&raw, numbered_text(i));
	raw_write(&raw, path);
	raw_free(&raw);
}

/* --------------------------------------------------------------- handles */

struct shmlog *open_log(const char *path)
{
	struct shmlog *log = NULL;

	expect_status(shmlog_open(path, &log), 0);
	assert_non_null(log);
	return log;
}

struct shmlog_reader *open_reader(struct shmlog *log, unsigned flags,
                                  size_t window_bytes)
{
	struct shmlog_reader_options options = {.flags = flags,
	                                        .window_bytes = window_bytes};
	struct shmlog_reader *reader = NULL;

	expect_status(shmlog_reader_open(log, &options, &reader), 0);
	assert_non_null(reader);
	return reader;
}

struct shmlog_writer *open_writer(struct shmlog *log, unsigned flags)
{
	struct shmlog_writer_options options = {.flags = flags};
	struct shmlog_writer *writer = NULL;

	expect_status(shmlog_writer_open(log, &options, &writer), 0);
	assert_non_null(writer);
	return writer;
}

void write_frame(struct shmlog_writer *writer, const void *payload,
                 size_t size_bytes)
{
	unsigned char *to = NULL;

	expect_status(shmlog_writer_allocate(writer, size_bytes, &to), 0);
	assert_non_null(to);
	if (size_bytes > 0)
		memcpy(to, payload, size_bytes);
	expect_status(shmlog_writer_commit(writer), 0);
}

int append_payload(struct shmlog *log, const void *payload, size_t size_bytes,
                   unsigned flags)
{
	struct shmlog_append_options options = {.flags = flags,
	                                        .lock_timeout_ns = -1};
	unsigned char *frame = malloc(size_bytes + 4);

	if (frame == NULL)
		return -ENOMEM;

	size_t bytes = shmlog_frame_encode(frame, payload, size_bytes);
	int status = shmlog_append_frames(log, frame, bytes, &options, NULL);

	free(frame);
	return status;
}

const struct reader_kind reader_kinds[READER_KINDS] = {
	{"mapped", 0, 0},
	{"buffered", SHMLOG_READER_BUFFERED, 0},
	{"buffered, smallest window", SHMLOG_READER_BUFFERED, 1},
};

struct shmlog_reader *open_kind(struct shmlog *log, size_t kind)
{
	return open_reader(log, reader_kinds[kind].flags,
	                   reader_kinds[kind].window_bytes);
}

/* ---------------------------------------------------------------- chance */

struct chance chance_start(const char *test, uint64_t seed)
{
	const char *given = getenv("SHMLOG_TEST_SEED");

	if (given != NULL)
		seed = strtoull(given, NULL, 0);
	print_message("%s: SHMLOG_TEST_SEED=%" PRIu64 "\n", test, seed);
	/* A generator of this kind never leaves 0. */
	return (struct chance){.state = seed ^ UINT64_C(0x9e3779b97f4a7c15)};
}

uint64_t chance_next(struct chance *chance)
{
	uint64_t x = chance->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	chance->state = x;
	return (x & UINT64_C(0xffffffff)) * UINT64_C(0x2545f4914f6cdd1d) >> 8;
}

uint64_t chance_below(struct chance *chance, uint64_t bound)
{
	return chance_next(chance) % bound;
}

/* -------------------------------------------------- time and processes */

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t patience_ns(int64_t idle_ns)
{
	const char *given = getenv("SHMLOG_TEST_PATIENCE");
	int64_t factor = given != NULL ? strtoll(given, NULL, 10) : 0;

	return idle_ns * (factor > 0 ? factor : 10);
}

static int64_t spent_ns(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
	               1000000000 +
	       ((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) *
	               1000;
}

int64_t processor_ns(void)
{
	return spent_ns(RUSAGE_SELF) + spent_ns(RUSAGE_CHILDREN);
}

int64_t held_up_ns(void)
{
	FILE *file = fopen("/proc/self/schedstat", "r");
	int64_t waited = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%*s %" SCNd64, &waited) != 1)
		waited = 0;
	fclose(file);
	return waited;
}

void sleep_ns(int64_t duration_ns)
{
	struct timespec left = {.tv_sec = (time_t)(duration_ns / 1000000000),
	                        .tv_nsec = (long)(duration_ns % 1000000000)};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

pid_t child_start(int (*body)(void *context), void *context)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		fail_with("cannot fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (getppid() != parent)
		_exit(99);
	_exit(body(context));
}

int child_wait(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			fail_with("cannot wait for a child");
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void child_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	child_wait(pid);
}

/* ---------------------------------------------------------- plain writer */

enum plain_command {
	PLAIN_APPEND,
	PLAIN_STORE_SIZE,
	PLAIN_STOP
};

struct plain_request {
	enum plain_command command;
	uint64_t value;
};

struct plain_context {
	const char *path;
	int open_flags;
	int commands;
	int answers;
};

static unsigned char *plain_map(const struct plain_context *context,
                                uint64_t *length_out)
{
	struct stat file;
	int fd = open(context->path, context->open_flags | O_CLOEXEC);
	int access = context->open_flags == O_RDWR ? PROT_READ | PROT_WRITE
	                                           : PROT_READ;

	if (fd < 0 || fstat(fd, &file) != 0)
		_exit(98);

	void *base = mmap(NULL, (size_t)file.st_size, access, MAP_SHARED, fd,
	                  0);

	if (base == MAP_FAILED)
		_exit(97);
	*length_out = (uint64_t)file.st_size;
	return base;
}

/* Appends at the cached cursor, whatever `size` is by now. */
static void plain_append(unsigned char *base, uint64_t *cursor, uint64_t length,
                         uint64_t size_bytes)
{
	uint64_t total = size_bytes + 4;
	unsigned char *frame = base + *cursor;

	if (total > length - *cursor)
		_exit(96);
	frame[0] = (unsigned char)total;
	frame[1] = (unsigned char)(total >> 8);
	memset(frame + 2, 'p', (size_t)size_bytes);
	frame[total - 2] = (unsigned char)total;
	frame[total - 1] = (unsigned char)(total >> 8);
	*cursor += total;
	atomic_store_explicit((_Atomic uint64_t *)(void *)(base + SIZE_WORD),
	                      *cursor, memory_order_release);
}

static int plain_body(void *argument)
{
	const struct plain_context *context = argument;
	struct plain_request request;
	uint64_t length;
	unsigned char *base = plain_map(context, &length);
	_Atomic uint64_t *size = (_Atomic uint64_t *)(void *)(base + SIZE_WORD);
	uint64_t cursor = atomic_load(size);

	do {
		/* The first answer says that all is mapped. */
		if (write(context->answers, "", 1) != 1)
			return 95;
		if (read(context->commands, &request, sizeof(request)) !=
		    (ssize_t)sizeof(request))
			return 94;
		if (request.command == PLAIN_APPEND)
			plain_append(base, &cursor, length, request.value);
		else if (request.command == PLAIN_STORE_SIZE)
			atomic_store(size, request.value);
	} while (request.command != PLAIN_STOP);
	return 0;
}

static void plain_await(const struct plain_writer *writer)
{
	char answer;

	if (read(writer->answers, &answer, 1) != 1)
		fail_with("the plain writer gave up");
}

static void plain_start(struct plain_writer *writer, const char *path,
                        int open_flags)
{
	int commands[2];
	int answers[2];

	if (pipe(commands) != 0 || pipe(answers) != 0)
		fail_with("cannot make a pipe");

	struct plain_context context = {.path = path,
	                                .open_flags = open_flags,
	                                .commands = commands[0],
	                                .answers = answers[1]};

	writer->pid = child_start(plain_body, &context);
	writer->commands = commands[1];
	writer->answers = answers[0];
	close(commands[0]);
	close(answers[1]);
	plain_await(writer);
}

void plain_writer_start(struct plain_writer *writer, const char *path)
{
	plain_start(writer, path, O_RDWR);
}

void plain_reader_start(struct plain_writer *reader, const char *path)
{
	plain_start(reader, path, O_RDONLY);
}

static void plain_request(struct plain_writer *writer,
                          enum plain_command command, uint64_t value)
{
	struct plain_request request;

	/* The padding goes through the pipe as well. */
	memset(&request, 0, sizeof(request));
	request.command = command;
	request.value = value;
	if (write(writer->commands, &request, sizeof(request)) !=
	    (ssize_t)sizeof(request))
		fail_with("the plain writer is gone");
}

void plain_writer_append(struct plain_writer *writer, uint64_t size_bytes)
{
	plain_request(writer, PLAIN_APPEND, size_bytes);
	plain_await(writer);
}

void plain_writer_store_size(struct plain_writer *writer, uint64_t size)
{
	plain_request(writer, PLAIN_STORE_SIZE, size);
	plain_await(writer);
}

void plain_writer_stop(struct plain_writer *writer)
{
	plain_request(writer, PLAIN_STOP, 0);
	if (child_wait(writer->pid) != 0)
		fail_with("the plain writer failed");
	close(writer->commands);
	close(writer->answers);
}

void plain_writer_kill(struct plain_writer *writer)
{
	child_kill(writer->pid);
	close(writer->commands);
	close(writer->answers);
}

bool plain_writers_are_visible(void)
{
#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
	const char *path = scratch("lease-probe");
	bool visible = false;

	close(open_file(path, O_WRONLY | O_CREAT));

	int fd = open_file(path, O_RDONLY);

	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		visible = true;
		fcntl(fd, F_SETLEASE, F_UNLCK);
	}
	close(fd);
	return visible;
#else
	return false;
#endif
}

bool runs_on_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}
