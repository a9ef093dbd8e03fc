/* Removing logs that nobody holds, by a lease or by a look at /proc. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__) && !defined(SHMLOG_PORTABLE) && \
	__has_include(<linux/seccomp.h>)
#define HAS_SANDBOX
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

static struct shmlog *make_log(const char *path)
{
	write_numbered_log(path, 4096, 5);
	return open_log(path);
}

static bool exists(const char *path)
{
	struct stat file;

	return lstat(path, &file) == 0;
}

#if defined(__linux__) && !defined(SHMLOG_PORTABLE)

TEST(test_remove_takes_the_name_and_leaves_nothing)
{
	const char *path = scratch("alone");
	struct shmlog *log = make_log(path);
	struct shmlog_remove_result result = {.path = "x"};
	size_t before = directory_entries(scratch_keep("."));
	struct shmlog_header header;

	expect_status(shmlog_remove(log, SHMLOG_REMOVE_DRY_RUN, &result), 0);
	assert_true(exists(path));
	expect_status(shmlog_remove(log, SHMLOG_REMOVE_IF_UNREAD, &result), 0);
	assert_false(exists(path));
	assert_string_equal(result.path, "");
	assert_int_equal(directory_entries(scratch_keep(".")), before - 1);
	/* The handle stays on the file. */
	expect_status(shmlog_read_header(log, &header), 0);
	expect_status(shmlog_remove(log, 0, NULL), -ENOENT);
	shmlog_close(log);
}

TEST(test_remove_refuses_beside_those_who_hold_the_log)
{
	const char *path = scratch("held");
	struct shmlog *log = make_log(path);
	struct plain_writer other;

	plain_reader_start(&other, path);
	expect_status(shmlog_remove(log, SHMLOG_REMOVE_IF_UNREAD, NULL),
	              SHMLOG_ERR_READER_ACTIVE);
	expect_status(shmlog_remove(log, SHMLOG_REMOVE_DRY_RUN, NULL), 0);
	child_kill(other.pid);
	plain_writer_start(&other, path);
	expect_status(shmlog_remove(log, SHMLOG_REMOVE_IF_UNREAD, NULL),
	              SHMLOG_ERR_WRITER_ACTIVE);
	expect_status(shmlog_remove(log, 0, NULL), SHMLOG_ERR_WRITER_ACTIVE);
	child_kill(other.pid);
	assert_true(exists(path));
	plain_reader_start(&other, path);
	expect_status(shmlog_remove(log, 0, NULL), 0);
	assert_false(exists(path));
	child_kill(other.pid);
	shmlog_close(log);
}

TEST(test_remove_refuses_beside_a_writer_or_a_session)
{
	const char *path = scratch("own");
	struct shmlog *log = make_log(path);
	struct shmlog *second = open_log(path);
	struct shmlog_writer *writer = open_writer(log, 0);
	struct shmlog_append_session *session;

	expect_status(shmlog_remove(log, 0, NULL), SHMLOG_ERR_WRITER_ACTIVE);
	expect_status(shmlog_remove(second, 0, NULL), SHMLOG_ERR_WRITER_ACTIVE);
	shmlog_writer_close(writer);
	expect_status(shmlog_append_session_open(second, &session), 0);
	expect_status(shmlog_remove(log, 0, NULL), SHMLOG_ERR_WRITER_ACTIVE);
	shmlog_append_session_close(session);
	expect_status(shmlog_remove(log, SHMLOG_REMOVE_IF_UNREAD, NULL),
	              SHMLOG_ERR_READER_ACTIVE);
	shmlog_close(second);
	expect_status(shmlog_remove(log, SHMLOG_REMOVE_IF_UNREAD, NULL), 0);
	shmlog_close(log);
}

TEST(test_remove_touches_no_other_file)
{
	char path[512];
	char name[512];
	struct shmlog *log;

	snprintf(path, sizeof(path), "%s", scratch("named"));
	snprintf(name, sizeof(name), "%s", scratch("link"));
	log = make_log(path);
	assert_int_equal(symlink(path, name), 0);
	shmlog_close(log);
	log = open_log(name);
	expect_status(shmlog_remove(log, 0, NULL), SHMLOG_ERR_NOT_REGULAR);
	shmlog_close(log);
	unlink(name);
	log = open_log(path);
	unlink(path);
	expect_status(shmlog_remove(log, 0, NULL), -ENOENT);
	write_numbered_log(path, 4096, 1);
	expect_status(shmlog_remove(log, 0, NULL), SHMLOG_ERR_REPLACED);
	assert_true(exists(path));
	shmlog_close(log);
	/* No log any more, at both of its ends. */
	log = open_log(path);
	file_put(path, 24, "\xff\xff", 2);
	file_put(path, file_get64(path, 16) - 2, "\xff\xff", 2);
	expect_status(shmlog_remove(log, 0, NULL), SHMLOG_ERR_TORN);
	assert_true(exists(path));
	shmlog_close(log);
	unlink(path);
}

TEST(test_remove_of_a_log_without_a_name)
{
	const char *path = scratch("unnamed");
	struct shmlog *log;
	int fd;

	write_numbered_log(path, 4096, 1);
	fd = open(path, O_RDONLY);
	expect_status(shmlog_open_fd(fd, &log), 0);
	expect_status(shmlog_remove(log, 0, NULL), -ENOENT);
	assert_true(exists(path));
	shmlog_close(log);
	close(fd);
}

#ifdef HAS_SANDBOX

/* From here on the system refuses a call to this process. */
static int refuse_call(unsigned number)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = COUNT_OF(filter), .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
	               ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)
	               : -1;
}

#define NO_SANDBOX 77

static int remove_in_sandbox(void *context)
{
	struct shmlog *log;

	if (refuse_call(SYS_renameat2) != 0)
		return NO_SANDBOX;
	if (shmlog_open(context, &log) != 0)
		return 1;
	int status = shmlog_remove(log, 0, NULL);

	shmlog_close(log);
	return status == 0 ? 0 : 2;
}

/* As on a file system that cannot rename without taking a file's place. */
TEST(test_remove_where_a_rename_may_take_a_place)
{
	char path[512];
	size_t before;

	snprintf(path, sizeof(path), "%s", scratch("sandbox"));
	write_numbered_log(path, 4096, 3);
	before = directory_entries(scratch_keep("."));
	int status = child_wait(child_start(remove_in_sandbox, path));

	if (status == NO_SANDBOX)
		skip();
	assert_int_equal(status, 0);
	assert_false(exists(path));
	assert_int_equal(directory_entries(scratch_keep(".")), before - 1);
}

#else

TEST(test_remove_where_a_rename_may_take_a_place)
{
	skip();
}

#endif

#else

TEST(test_remove_removes_nothing_where_the_system_tells_nothing)
{
	const char *path = scratch("portable");
	struct shmlog *log = make_log(path);

	expect_status(shmlog_remove(log, 0, NULL), -ENOTSUP);
	assert_true(exists(path));
	shmlog_close(log);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#if defined(__linux__) && !defined(SHMLOG_PORTABLE)
		cmocka_unit_test(test_remove_takes_the_name_and_leaves_nothing),
		cmocka_unit_test(
			test_remove_refuses_beside_those_who_hold_the_log),
		cmocka_unit_test(
			test_remove_refuses_beside_a_writer_or_a_session),
		cmocka_unit_test(test_remove_touches_no_other_file),
		cmocka_unit_test(test_remove_of_a_log_without_a_name),
		cmocka_unit_test(test_remove_where_a_rename_may_take_a_place),
#else
		cmocka_unit_test(
			test_remove_removes_nothing_where_the_system_tells_nothing),
#endif
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
