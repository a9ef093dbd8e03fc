/*
 * Creating, inspecting and opening logs, and the mappings behind them: what
 * is refused, what is left behind, and who sees what when.
 */
#include "support.h"

#include "mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* An empty directory of its own, so that debris can be counted. */
static const char *scratch_folder(const char *name)
{
	const char *path = scratch_keep(name);

	assert_int_equal(mkdir(path, 0755), 0);
	return path;
}

static const char *in_folder(const char *folder, const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* ---------------------------------------------------------------- create */

TEST(test_create_writes_a_header_and_zeros)
{
	static const uint64_t capacities[] = {24,   25,   100,    4095,
	                                      4096, 4097, 1 << 20};

	for (size_t i = 0; i < COUNT_OF(capacities) * 2; i++) {
		const char *path = scratch("created");
		uint64_t capacity = capacities[i / 2];
		unsigned flags = i % 2 == 0 ? 0 : SHMLOG_CREATE_SPARSE;
		struct raw_log raw;

		raw_init(&raw, (size_t)capacity);
		expect_status(shmlog_create(path, capacity, 0664, flags), 0);
		expect_file(path, raw.bytes, raw.capacity);
		raw_free(&raw);
	}
}

TEST(test_create_refuses_an_impossible_capacity_and_leaves_no_debris)
{
	static const uint64_t capacities[] = {
		0,         1, 23, UINT64_C(1) << 63, (UINT64_C(1) << 63) + 24,
		UINT64_MAX};
	const char *folder = scratch_folder("impossible");

	for (size_t i = 0; i < COUNT_OF(capacities) * 2; i++) {
		expect_status(
			shmlog_create(in_folder(folder, "x"), capacities[i / 2],
		                      0664,
		                      i % 2 == 0 ? 0 : SHMLOG_CREATE_SPARSE),
			SHMLOG_ERR_CAPACITY);
		assert_int_equal(directory_entries(folder), 0);
	}
}

/* The same answer as that of shmlog_sync(), before there is a log. */
TEST(test_create_on_disk_is_refused_in_memory_and_leaves_nothing)
{
	const char *folder = scratch_folder("on-disk");
	const char *plain = in_folder(folder, "plain");
	struct shmlog *log;

	expect_status(shmlog_create(plain, 4096, 0664, 0), 0);
	expect_status(shmlog_open(plain, &log), 0);
	int synced = shmlog_sync(log);

	shmlog_close(log);
	assert_true(synced == 0 || synced == -EOPNOTSUPP);
	expect_status(shmlog_create(in_folder(folder, "x"), 4096, 0664,
	                            SHMLOG_CREATE_ON_DISK),
	              synced);
	assert_int_equal(directory_entries(folder), synced == 0 ? 2 : 1);
}

TEST(test_create_without_the_space_leaves_no_debris)
{
	static const uint64_t capacities[] = {UINT64_C(1) << 50,
	                                      UINT64_C(1) << 62, INT64_MAX};
	const char *folder = scratch_folder("no-space");

	for (size_t i = 0; i < COUNT_OF(capacities); i++) {
		int status = shmlog_create(in_folder(folder, "x"),
		                           capacities[i], 0664, 0);

		assert_true(status == -ENOSPC || status == -EFBIG);
		assert_int_equal(directory_entries(folder), 0);
	}
}

static int create_limited(void *path)
{
	struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 9;
	if (shmlog_create(path, 8192, 0664, 0) != -EFBIG)
		return 1;
	if (shmlog_create(path, 8192, 0664, SHMLOG_CREATE_SPARSE) != -EFBIG)
		return 2;
	return 0;
}

TEST(test_create_that_the_system_stops_leaves_no_debris)
{
	const char *folder = scratch_folder("limited");
	char path[400];

	snprintf(path, sizeof(path), "%s", in_folder(folder, "x"));
	assert_int_equal(child_wait(child_start(create_limited, path)), 0);
	assert_int_equal(directory_entries(folder), 0);
}

/* Each thing that can have a name stays as it is, and nothing joins it. */
TEST(test_create_never_touches_what_has_the_name)
{
	char folder[320];
	char path[400];

	snprintf(folder, sizeof(folder), "%s", scratch_folder("taken"));
	snprintf(path, sizeof(path), "%s", in_folder(folder, "x"));
	for (unsigned kind = 0; kind < 6; kind++) {
		struct stat before;
		struct stat after;

		if (kind == 0)
			write_numbered_log(path, 4096, 1);
		else if (kind == 1)
			assert_int_equal(mkdir(path, 0755), 0);
		else if (kind == 2)
			assert_int_equal(mkfifo(path, 0666), 0);
		else if (kind == 3) /* dangling */
			assert_int_equal(symlink("nowhere", path), 0);
		else if (kind == 4) /* to itself */
			assert_int_equal(symlink("x", path), 0);
		else
			assert_int_equal(symlink("/dev/null", path), 0);
		assert_int_equal(lstat(path, &before), 0);
		expect_status(shmlog_create(path, 8192, 0664, 0), -EEXIST);
		expect_status(
			shmlog_create(path, 8192, 0664, SHMLOG_CREATE_SPARSE),
			-EEXIST);
		assert_int_equal(lstat(path, &after), 0);
		assert_int_equal(after.st_ino, before.st_ino);
		assert_int_equal(after.st_size, before.st_size);
		assert_int_equal(after.st_mode, before.st_mode);
		assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
		assert_int_equal(directory_entries(folder), 1);
		assert_int_equal(remove(path), 0);
	}
}

TEST(test_create_leaves_a_name_in_a_missing_folder_alone)
{
	const char *path = scratch_keep("no-such-folder/x");

	expect_status(shmlog_create(path, 4096, 0664, 0), -ENOENT);
	expect_status(shmlog_create("", 4096, 0664, 0), -ENOENT);
}

static mode_t mode_of(const char *path)
{
	struct stat file;

	assert_int_equal(lstat(path, &file), 0);
	return file.st_mode & 07777;
}

TEST(test_create_gives_the_mode_less_the_umask)
{
	static const struct {
		mode_t mode;
		mode_t mask;
		mode_t expected;
	} cases[] = {
		{0664, 0, 0664},    {0664, 022, 0644}, {0664, 077, 0600},
		{0666, 002, 0664},  {0600, 0, 0600},   {0640, 027, 0640},
		{0777, 0111, 0666}, {0400, 0, 0400},   {0, 0, 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *path = scratch("mode");
		mode_t before = umask(cases[i].mask);
		int status = shmlog_create(path, 4096, cases[i].mode, 0);

		umask(before);
		expect_status(status, 0);
		assert_int_equal(mode_of(path), cases[i].expected);
	}
}

TEST(test_create_reserves_the_space_unless_it_is_sparse)
{
	const char *path = scratch("reserved");

	expect_status(shmlog_create(path, 1 << 20, 0664, 0), 0);
	assert_true(file_blocks(path) * 512 >= 1 << 20);
	path = scratch("sparse");
	expect_status(shmlog_create(path, 1 << 20, 0664, SHMLOG_CREATE_SPARSE),
	              0);
	assert_true(file_blocks(path) * 512 <= 16384);
	path = scratch("very-sparse");
	expect_status(shmlog_create(path, UINT64_C(1) << 40, 0664,
	                            SHMLOG_CREATE_SPARSE),
	              0);
	assert_int_equal(file_length(path), UINT64_C(1) << 40);
	unlink(path);
}

#define CREATORS 6
#define RACES 60

struct racer {
	const char *folder;
	int start[2]; /* the end of this pipe starts the race */
};

/* Creates log after log; its exit status is 99 if something was wrong. */
static int create_race(void *argument)
{
	const struct racer *racer = argument;
	unsigned char wins = 0;
	char byte;

	close(racer->start[1]);
	if (read(racer->start[0], &byte, 1) != 0)
		return 99;
	for (unsigned i = 0; i < RACES; i++) {
		struct shmlog *log = NULL;
		char name[32];

		snprintf(name, sizeof(name), "race-%u", i);

		const char *path = in_folder(racer->folder, name);
		int status = shmlog_create(path, 4096, 0664, 0);

		if (status == 0)
			wins++;
		else if (status != -EEXIST)
			return 99;
		/* Whoever won: it is a log from the first moment. */
		if (shmlog_open(path, &log) != 0)
			return 99;
		shmlog_close(log);
	}
	return wins;
}

TEST(test_create_raced_by_many_has_one_winner_and_no_half_made_log)
{
	struct racer racer = {.folder = scratch_folder("race")};
	pid_t pids[CREATORS];
	int wins = 0;

	assert_int_equal(pipe(racer.start), 0);
	for (unsigned i = 0; i < CREATORS; i++)
		pids[i] = child_start(create_race, &racer);
	close(racer.start[1]);
	for (unsigned i = 0; i < CREATORS; i++) {
		int result = child_wait(pids[i]);

		assert_in_range(result, 0, RACES);
		wins += result;
	}
	close(racer.start[0]);
	assert_int_equal(wins, RACES);
	assert_int_equal(directory_entries(racer.folder), RACES);
}

/* ---------------------------------------------------------- open, inspect */

static void expect_open(const char *path, int status)
{
	struct shmlog *log = NULL;
	struct shmlog_header header;

	expect_status(shmlog_inspect(path, &header), status);
	expect_status(shmlog_open(path, &log), status);
	if (status != 0)
		assert_null(log);
	shmlog_close(log);
}

TEST(test_open_judges_the_header_at_both_ends_of_every_range)
{
	static const struct {
		uint64_t header_size;
		uint64_t data_offset;
		uint64_t size;
		int status;
	} cases[] = {
		{24, 24, 24, 0},
		{0, 0, 0, SHMLOG_ERR_NO_HEADER},
		{0, 24, 24, SHMLOG_ERR_HEADER_SIZE},
		{23, 24, 24, SHMLOG_ERR_HEADER_SIZE},
		{100, 24, 24, 0},
		{101, 24, 24, SHMLOG_ERR_HEADER_SIZE},
		{UINT64_MAX, 24, 24, SHMLOG_ERR_HEADER_SIZE},
		{24, 0, 24, SHMLOG_ERR_DATA_OFFSET},
		{24, 23, 24, SHMLOG_ERR_DATA_OFFSET},
		{24, 25, 25, 0},
		{24, 31, 100, 0},
		{24, 100, 100, 0},
		{24, 101, 101, SHMLOG_ERR_DATA_OFFSET},
		{24, UINT64_MAX, UINT64_MAX, SHMLOG_ERR_DATA_OFFSET},
		{24, 24, 0, SHMLOG_ERR_SIZE},
		{24, 24, 23, SHMLOG_ERR_SIZE},
		{24, 25, 24, SHMLOG_ERR_SIZE},
		{24, 24, 100, 0},
		{24, 24, 101, SHMLOG_ERR_SIZE},
		{24, 24, UINT64_MAX, SHMLOG_ERR_SIZE},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *path = scratch("header");
		struct shmlog_header header;
		struct raw_log raw;

		raw_init(&raw, 100);
		raw_put64(&raw, 0, cases[i].header_size);
		raw_put64(&raw, 8, cases[i].data_offset);
		raw_put64(&raw, 16, cases[i].size);
		raw_write(&raw, path);
		expect_open(path, cases[i].status);
		expect_file(path, raw.bytes, raw.capacity);
		shmlog_inspect(path, &header);
		assert_int_equal(header.header_size, cases[i].header_size);
		assert_int_equal(header.data_offset, cases[i].data_offset);
		assert_int_equal(header.size, cases[i].size);
		assert_int_equal(header.capacity, 100);
		raw_free(&raw);
	}
}

TEST(test_open_refuses_every_file_shorter_than_a_header)
{
	struct raw_log raw;

	raw_init(&raw, 24);
	for (size_t length = 0; length < 24; length++) {
		const char *path = scratch("short");
		struct shmlog_header header;

		raw.capacity = length;
		raw_write(&raw, path);
		expect_open(path, SHMLOG_ERR_TOO_SHORT);
		shmlog_inspect(path, &header);
		assert_int_equal(header.capacity, length);
		assert_int_equal(header.size, 0);
		expect_file(path, raw.bytes, length);
	}
	raw_free(&raw);
}

TEST(test_open_refuses_what_is_no_regular_file_without_waiting)
{
	const char *fifo = scratch("fifo");
	const char *name = scratch("socket");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(mkfifo(fifo, 0666), 0);
	assert_true(strlen(name) < sizeof(address.sun_path));
	memcpy(address.sun_path, name, strlen(name) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
	                 0);
	expect_open(fifo, SHMLOG_ERR_NOT_REGULAR);
	expect_open(name, SHMLOG_ERR_NOT_REGULAR);
	expect_open(scratch_folder("folder"), SHMLOG_ERR_NOT_REGULAR);
	expect_open("/dev/null", SHMLOG_ERR_NOT_REGULAR);
	expect_open("/dev/zero", SHMLOG_ERR_NOT_REGULAR);
	close(fd);
}

TEST(test_open_passes_on_what_the_system_refuses)
{
	const char *loop = scratch("loop");
	const char *dangling = scratch("dangling");
	char long_name[5000];

	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(symlink(loop, loop), 0);
	assert_int_equal(symlink(scratch_keep("nowhere"), dangling), 0);
	expect_open(scratch("missing"), -ENOENT);
	expect_open("", -ENOENT);
	expect_open(dangling, -ENOENT);
	expect_open(loop, -ELOOP);
	expect_open(long_name, -ENAMETOOLONG);
	expect_open(scratch_keep("loop/x"), -ELOOP);
}

TEST(test_inspect_writes_zeros_where_it_could_read_nothing)
{
	struct shmlog_header header;
	static const struct shmlog_header zeros;

	memset(&header, 0xee, sizeof(header));
	expect_status(shmlog_inspect(scratch("missing"), &header), -ENOENT);
	assert_memory_equal(&header, &zeros, sizeof(zeros));
}

TEST(test_open_of_anything_changes_nothing)
{
	const char *path = scratch("foreign");
	struct chance chance = chance_start("foreign files", 5);

	for (unsigned round = 0; round < 200; round++) {
		struct shmlog *log = NULL;
		struct raw_log raw;

		raw_init(&raw, 24 + (size_t)chance_below(&chance, 300));
		for (size_t i = 0; i < raw.capacity; i++)
			raw.bytes[i] = (unsigned char)chance_next(&chance);
		raw_write(&raw, path);
		assert_true(shmlog_open(path, &log) < 0);
		expect_file(path, raw.bytes, raw.capacity);
		raw_free(&raw);
	}
}

static int open_with_no_descriptor_left(void *path)
{
	struct rlimit limit = {.rlim_cur = 64, .rlim_max = 64};
	struct shmlog *log = NULL;

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 9;
	while (dup(0) >= 0)
		;
	return shmlog_open(path, &log) == -EMFILE ? 0 : 1;
}

TEST(test_open_without_descriptors_is_refused_by_the_system)
{
	char path[320];

	snprintf(path, sizeof(path), "%s", scratch("descriptors"));
	write_numbered_log(path, 4096, 0);

	int result = child_wait(
		child_start(open_with_no_descriptor_left, path));

	if (result == 9) /* valgrind keeps the limit to itself */
		skip();
	assert_int_equal(result, 0);
}

/* ------------------------------------------------------------ open handles */

TEST(test_read_header_shows_the_words_as_they_are_now)
{
	const char *path = scratch("read-header");
	struct shmlog_header header;

	write_numbered_log(path, 4096, 2);

	struct shmlog *log = open_log(path);

	expect_status(shmlog_read_header(log, &header), 0);
	assert_int_equal(header.header_size, 24);
	assert_int_equal(header.data_offset, 24);
	assert_int_equal(header.size, 24 + 22);
	assert_int_equal(header.capacity, 4096);
	file_put64(path, 16, 24 + 11);
	expect_status(shmlog_read_header(log, &header), 0);
	assert_int_equal(header.size, 24 + 11);
	file_truncate(path, 8192);
	expect_status(shmlog_read_header(log, &header), 0);
	assert_int_equal(header.capacity, 8192);
	file_put64(path, 16, 23);
	expect_status(shmlog_read_header(log, &header), SHMLOG_ERR_SIZE);
	assert_int_equal(header.size, 23);
	file_put64(path, 16, 24 + 22);
	file_put64(path, 8, 8193);
	expect_status(shmlog_read_header(log, &header), SHMLOG_ERR_DATA_OFFSET);
	file_put64(path, 8, 24);
	file_put64(path, 0, 8193);
	expect_status(shmlog_read_header(log, &header), SHMLOG_ERR_HEADER_SIZE);
	assert_int_equal(header.header_size, 8193);
	shmlog_close(log);
}

TEST(test_read_header_of_a_log_that_was_zeroed_says_so)
{
	static const unsigned char zeros[SHMLOG_HEADER_BYTES];
	const char *path = scratch("zeroed");
	struct shmlog_verify_report report;
	struct shmlog_append_result result;
	struct shmlog_writer *writer;
	struct shmlog_header header;

	write_numbered_log(path, 4096, 1);

	struct shmlog *log = open_log(path);

	file_put(path, 0, zeros, sizeof(zeros));
	expect_status(shmlog_read_header(log, &header), SHMLOG_ERR_NO_HEADER);
	assert_int_equal(header.capacity, 4096);
	expect_status(shmlog_verify(log, NULL, &report), SHMLOG_ERR_NO_HEADER);
	expect_status(shmlog_append_frames(log, NULL, 0, NULL, &result),
	              SHMLOG_ERR_NO_HEADER);
	expect_status(shmlog_writer_open(log, NULL, &writer),
	              SHMLOG_ERR_NO_HEADER);
	shmlog_close(log);
}

TEST(test_read_header_says_that_the_log_shrank_at_every_length)
{
	const char *path = scratch("shrank");

	for (uint64_t length = 0; length < 60; length++) {
		struct shmlog_header header;

		write_numbered_log(path, 4096, 2);

		struct shmlog *log = open_log(path);

		file_truncate(path, length);
		expect_status(shmlog_read_header(log, &header),
		              length < 24 + 22 ? SHMLOG_ERR_MAPPING_GONE : 0);
		assert_int_equal(header.capacity, length);
		shmlog_close(log);
	}
}

TEST(test_identity_is_the_files_and_tells_files_apart)
{
	const char *path = scratch("identity");
	const char *other_path = scratch("identity-2");
	struct stat file;

	write_numbered_log(path, 4096, 0);
	write_numbered_log(other_path, 4096, 0);

	struct shmlog *log = open_log(path);
	struct shmlog *same = open_log(path);
	struct shmlog *other = open_log(other_path);
	struct shmlog_identity identity = shmlog_identity(log);
	struct shmlog_identity again = shmlog_identity(same);
	struct shmlog_identity another = shmlog_identity(other);

	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(identity.device, file.st_dev);
	assert_int_equal(identity.inode, file.st_ino);
	assert_int_equal(again.device, identity.device);
	assert_int_equal(again.inode, identity.inode);
	assert_int_equal(again.birth_ns, identity.birth_ns);
	assert_int_not_equal(another.inode, identity.inode);
	shmlog_close(other);
	shmlog_close(same);
	shmlog_close(log);
}

TEST(test_same_file_outlives_a_mount_where_birth_tells_it)
{
	const struct shmlog_identity file = {
		.device = 1, .inode = 2, .birth_ns = 3, .filesystem = 4};
	const struct shmlog_identity unborn = {.device = 1, .inode = 2};
	struct shmlog_identity other = file;

	assert_true(shmlog_same_file(&file, &other));
	other.device = 9;
	assert_true(shmlog_same_file(&file, &other));
	other.filesystem = 0; /* unknown */
	assert_true(shmlog_same_file(&file, &other));
	assert_true(shmlog_same_file(&other, &file));
	other.filesystem = 9;
	assert_false(shmlog_same_file(&file, &other));
	/* A device that both have says enough. */
	other.device = 1;
	assert_true(shmlog_same_file(&file, &other));
	other = file;
	other.inode = 9;
	assert_false(shmlog_same_file(&file, &other));
	other = file;
	other.birth_ns = 9;
	assert_false(shmlog_same_file(&file, &other));
	other = unborn;
	assert_true(shmlog_same_file(&unborn, &other));
	other.device = 9;
	assert_false(shmlog_same_file(&unborn, &other));
}

TEST(test_check_name_notices_replacement_and_removal)
{
	const char *path = scratch("name");
	const char *newer = scratch("name-2");

	write_numbered_log(path, 4096, 0);
	write_numbered_log(newer, 4096, 0);

	struct shmlog *log = open_log(path);

	expect_status(shmlog_check_name(log), 0);
	assert_int_equal(rename(newer, path), 0);
	expect_status(shmlog_check_name(log), SHMLOG_ERR_REPLACED);
	assert_int_equal(unlink(path), 0);
	expect_status(shmlog_check_name(log), -ENOENT);
	shmlog_close(log);
}

struct seen {
	pid_t pid;
	unsigned count;
	struct shmlog_process process;
};

static int note(void *context, const struct shmlog_process *process)
{
	struct seen *seen = context;

	seen->count++;
	if (process->pid == seen->pid)
		seen->process = *process;
	return 0;
}

TEST(test_processes_names_a_writer_and_a_reader_but_not_the_caller)
{
	const char *path = scratch("processes");
	struct plain_writer writer;
	struct plain_writer reader;
	struct seen seen = {0};

	write_numbered_log(path, 4096, 1);

	struct shmlog *log = open_log(path);
	int result = shmlog_processes(log, note, &seen);

	if (result == -ENOTSUP) {
		shmlog_close(log);
		skip();
	}
	assert_true(result >= 0);
	assert_int_equal(seen.count, 0);
	shmlog_close(log);
	plain_writer_start(&writer, path);
	plain_reader_start(&reader, path);
	log = open_log(path);
	seen.pid = writer.pid;
	assert_true(shmlog_processes(log, note, &seen) >= 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.process.pid, writer.pid);
	assert_int_equal(seen.process.uid, geteuid());
	assert_true(seen.process.writes);
	assert_true(seen.process.mapped);
	assert_true(strlen(seen.process.command) > 0);
	seen.pid = reader.pid;
	assert_true(shmlog_processes(log, note, &seen) >= 0);
	assert_int_equal(seen.process.pid, reader.pid);
	assert_false(seen.process.writes);
	assert_true(seen.process.mapped);
	plain_writer_stop(&writer);
	plain_writer_stop(&reader);
	shmlog_close(log);
}

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

struct loner {
	const char *path;
	bool first_ends; /* the thread is all that is left of its process */
	int ready;
};

/* Has the file open in a table of descriptors that is the thread's alone. */
static void *stay_alone(void *context)
{
	const struct loner *loner = context;

	if (unshare(CLONE_FILES) == 0 &&
	    open(loner->path, O_RDWR | O_CLOEXEC) >= 0 &&
	    write(loner->ready, "r", 1) == 1)
		sleep(600);
	exit(1);
}

static int start_loner(void *context)
{
	struct loner *loner = context;
	pthread_t thread;

	if (pthread_create(&thread, NULL, stay_alone, loner) != 0)
		return 1;
	if (loner->first_ends)
		pthread_exit(NULL);
	sleep(600);
	return 1;
}

TEST(test_processes_sees_what_one_thread_alone_has_open)
{
	const char *path = scratch("loner");
	int ready[2];

	if (runs_on_valgrind())
		skip();
	write_numbered_log(path, 4096, 1);
	for (int first_ends = 0; first_ends < 2; first_ends++) {
		assert_int_equal(pipe(ready), 0);

		/* The stack of the first thread ends with it. */
		static struct loner loner;

		loner = (struct loner){.path = path,
		                       .first_ends = first_ends == 1,
		                       .ready = ready[1]};
		struct seen seen = {.pid = child_start(start_loner, &loner)};
		char byte;

		assert_int_equal(read(ready[0], &byte, 1), 1);
		/* The first thread may be about to end, and is in between. */
		int64_t end = now_ns() + patience_ns(MILLISECONDS(1000));

		do
			assert_true(shmlog_processes_at(path, note, &seen) >=
			            0);
		while (seen.count == 0 && now_ns() < end);
		child_kill(seen.pid);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.process.pid, seen.pid);
		assert_true(seen.process.writes);
		assert_false(seen.process.maps_writable);
		close(ready[0]);
		close(ready[1]);
	}
}

static int append_and_wait(void *context)
{
	const struct loner *loner = context;
	struct shmlog *log;
	struct shmlog_append_session *session;

	if (shmlog_open(loner->path, &log) != 0 ||
	    shmlog_append_session_open(log, &session) != 0 ||
	    write(loner->ready, "r", 1) != 1)
		return 1;
	sleep(600);
	return 1;
}

TEST(test_processes_tells_who_appends_and_who_has_the_lock)
{
	const char *path = scratch("appender");
	int ready[2];
	char byte;

	write_numbered_log(path, 4096, 1);
	assert_int_equal(pipe(ready), 0);

	struct loner loner = {.path = path, .ready = ready[1]};
	struct seen seen = {.pid = child_start(append_and_wait, &loner)};
	struct shmlog *log = open_log(path);

	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_true(shmlog_processes(log, note, &seen) >= 0);
	assert_int_equal(seen.count, 1);
	assert_true(seen.process.appends);
	assert_false(seen.process.writes);
	assert_false(seen.process.holds_lock);
	assert_false(seen.process.waits_for_lock);
	/* What shares the open file has its lock, too. */
	assert_int_equal(flock(log->fd, LOCK_EX), 0);
	assert_int_equal(shmlog_lock_holder(log), getpid());
	child_kill(seen.pid);
	shmlog_close(log);
	close(ready[0]);
	close(ready[1]);
}

TEST(test_processes_that_cannot_be_looked_into_for_want_of_descriptors)
{
	const char *path = scratch("descriptors");
	struct plain_writer writer;
	struct seen seen = {0};
	struct rlimit limit;
	unsigned looks = 0;

	write_numbered_log(path, 4096, 1);
	plain_writer_start(&writer, path);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (;; looks++) {
		struct rlimit less = {.rlim_cur = looks,
		                      .rlim_max = limit.rlim_max};

		seen.count = 0;
		setrlimit(RLIMIT_NOFILE, &less);
		int result = shmlog_processes_at(path, note, &seen);

		setrlimit(RLIMIT_NOFILE, &limit);
		if (result >= 0)
			break;
		expect_status(result, -EMFILE);
	}
	assert_int_equal(seen.count, 1);
	/* The few that this program has open, and three for the look. */
	assert_in_range(looks, 4, 100);
	plain_writer_stop(&writer);
}

#else

TEST(test_processes_sees_what_one_thread_alone_has_open)
{
	skip();
}

TEST(test_processes_tells_who_appends_and_who_has_the_lock)
{
	skip();
}

TEST(test_processes_that_cannot_be_looked_into_for_want_of_descriptors)
{
	skip();
}

#endif

/* ---------------------------------------------------------------- insides */

TEST(test_mapping_is_shared_counted_and_replaced_when_the_file_grows)
{
	const char *path = scratch("mapping");
	struct shmlog_mapping *first = NULL;
	struct shmlog_mapping *second = NULL;
	struct shmlog_mapping *longer = NULL;
	struct shmlog_mapping *none = NULL;

	write_numbered_log(path, 5000, 1);

	struct shmlog *log = open_log(path);

	expect_status(shmlog_mapping_acquire(log, log->fd, false, 24, &first),
	              0);
	expect_status(
		shmlog_mapping_acquire(log, log->fd, false, 5000, &second), 0);
	assert_ptr_equal(first, second);
	assert_int_equal(first->length, 5000);
	expect_status(shmlog_mapping_acquire(log, log->fd, false, 5001, &none),
	              SHMLOG_ERR_MAPPING_GONE);
	assert_null(none);
	file_truncate(path, 9000);
	expect_status(
		shmlog_mapping_acquire(log, log->fd, false, 5001, &longer), 0);
	assert_ptr_not_equal(first, longer);
	assert_int_equal(longer->length, 9000);
	shmlog_mapping_release(log, first);
	shmlog_mapping_release(log, second);
	assert_memory_equal(longer->base + 26, numbered_text(0), 7);
	shmlog_mapping_release(log, longer);
	shmlog_mapping_release(log, NULL);
	shmlog_close(log);
}

TEST(test_read_at_reads_all_or_says_that_the_file_ends)
{
	const char *path = scratch("read-at");
	unsigned char bytes[100];

	write_numbered_log(path, 100, 0);

	int fd = open(path, O_RDONLY | O_CLOEXEC);

	expect_status(shmlog_read_at(fd, 0, bytes, 100), 0);
	expect_status(shmlog_read_at(fd, 99, bytes, 1), 0);
	expect_status(shmlog_read_at(fd, 100, bytes, 0), 0);
	expect_status(shmlog_read_at(fd, 100, bytes, 1),
	              SHMLOG_ERR_MAPPING_GONE);
	expect_status(shmlog_read_at(fd, 1, bytes, 100),
	              SHMLOG_ERR_MAPPING_GONE);
	expect_status(shmlog_read_at(-1, 0, bytes, 1), -EBADF);
	expect_status(shmlog_write_at(fd, 0, bytes, 1), -EBADF);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_writes_a_header_and_zeros),
		cmocka_unit_test(
			test_create_refuses_an_impossible_capacity_and_leaves_no_debris),
		cmocka_unit_test(
			test_create_on_disk_is_refused_in_memory_and_leaves_nothing),
		cmocka_unit_test(
			test_create_without_the_space_leaves_no_debris),
		cmocka_unit_test(
			test_create_that_the_system_stops_leaves_no_debris),
		cmocka_unit_test(test_create_never_touches_what_has_the_name),
		cmocka_unit_test(
			test_create_leaves_a_name_in_a_missing_folder_alone),
		cmocka_unit_test(test_create_gives_the_mode_less_the_umask),
		cmocka_unit_test(
			test_create_reserves_the_space_unless_it_is_sparse),
		cmocka_unit_test(
			test_create_raced_by_many_has_one_winner_and_no_half_made_log),
		cmocka_unit_test(
			test_open_judges_the_header_at_both_ends_of_every_range),
		cmocka_unit_test(
			test_open_refuses_every_file_shorter_than_a_header),
		cmocka_unit_test(
			test_open_refuses_what_is_no_regular_file_without_waiting),
		cmocka_unit_test(test_open_passes_on_what_the_system_refuses),
		cmocka_unit_test(
			test_inspect_writes_zeros_where_it_could_read_nothing),
		cmocka_unit_test(test_open_of_anything_changes_nothing),
		cmocka_unit_test(
			test_open_without_descriptors_is_refused_by_the_system),
		cmocka_unit_test(
			test_read_header_shows_the_words_as_they_are_now),
		cmocka_unit_test(
			test_read_header_of_a_log_that_was_zeroed_says_so),
		cmocka_unit_test(
			test_read_header_says_that_the_log_shrank_at_every_length),
		cmocka_unit_test(
			test_identity_is_the_files_and_tells_files_apart),
		cmocka_unit_test(
			test_same_file_outlives_a_mount_where_birth_tells_it),
		cmocka_unit_test(
			test_check_name_notices_replacement_and_removal),
		cmocka_unit_test(
			test_processes_names_a_writer_and_a_reader_but_not_the_caller),
		cmocka_unit_test(
			test_processes_sees_what_one_thread_alone_has_open),
		cmocka_unit_test(
			test_processes_tells_who_appends_and_who_has_the_lock),
		cmocka_unit_test(
			test_processes_that_cannot_be_looked_into_for_want_of_descriptors),
		cmocka_unit_test(
			test_mapping_is_shared_counted_and_replaced_when_the_file_grows),
		cmocka_unit_test(
			test_read_at_reads_all_or_says_that_the_file_ends),
	};

	return cmocka_run_group_tests_name("mapping", tests, scratch_setup,
	                                   scratch_teardown);
}
