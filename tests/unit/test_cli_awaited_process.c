/* Whether a process has ended, whatever of it is left. */
#include "support.h"

#include "awaited_process.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int sleep_on(void *context)
{
	(void)context;
	for (;;)
		pause();
	return 0;
}

static int end_at_once(void *context)
{
	(void)context;
	return 0;
}

/* Waits until a child has ended, and leaves its status to be asked for. */
static void await_end(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static bool has_proc(void)
{
	return access("/proc/self/stat", R_OK) == 0;
}

TEST(test_process_is_there_until_it_has_ended)
{
	struct cli_process process;
	pid_t pid = child_start(sleep_on, NULL);

	cli_process_init(&process, pid);
	assert_false(cli_process_is_gone(&process));
	kill(pid, SIGKILL);
	await_end(pid);
	/* Its id is taken as long as nobody asks for its status. */
	assert_int_equal(kill(pid, 0), 0);
	if (has_proc())
		assert_true(cli_process_is_gone(&process));
	assert_int_equal(child_wait(pid), -SIGKILL);
	assert_true(cli_process_is_gone(&process));
}

TEST(test_process_that_has_ended_before_is_gone)
{
	struct cli_process process;
	pid_t pid = child_start(end_at_once, NULL);

	await_end(pid);
	cli_process_init(&process, pid);
	if (has_proc())
		assert_true(cli_process_is_gone(&process));
	assert_int_equal(child_wait(pid), 0);
}

TEST(test_process_with_an_id_that_is_anothers_by_now_is_gone)
{
	struct cli_process process;

	cli_process_init(&process, getpid());
	assert_false(cli_process_is_gone(&process));
	if (!has_proc())
		return;
	assert_int_not_equal(process.started, 0);
	process.started--;
	assert_true(cli_process_is_gone(&process));
}

static void *sleep_in_thread(void *context)
{
	(void)context;
	for (;;)
		pause();
	return NULL;
}

static int end_first_thread(void *context)
{
	pthread_t thread;

	(void)context;
	if (pthread_create(&thread, NULL, sleep_in_thread, NULL) != 0)
		return 1;
	pthread_exit(NULL);
}

/* Whether /proc says that the first thread has ended. */
static bool is_first_thread_gone(pid_t pid)
{
	char text[256] = "";
	char state = '?';

	snprintf(text, sizeof(text), "/proc/%ld/stat", (long)pid);
	FILE *file = fopen(text, "re");

	if (file == NULL)
		return false;
	(void)!fscanf(file, "%*d %*s %c", &state);
	fclose(file);
	return state == 'Z';
}

TEST(test_process_whose_first_thread_has_ended_is_there)
{
	struct cli_process process;

	if (!has_proc())
		return;
	pid_t pid = child_start(end_first_thread, NULL);

	cli_process_init(&process, pid);
	for (int i = 0; i < 1000 && !is_first_thread_gone(pid); i++)
		sleep_ns(MILLISECONDS(10));
	assert_true(is_first_thread_gone(pid));
	assert_false(cli_process_is_gone(&process));
	child_kill(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process_is_there_until_it_has_ended),
		cmocka_unit_test(test_process_that_has_ended_before_is_gone),
		cmocka_unit_test(
			test_process_with_an_id_that_is_anothers_by_now_is_gone),
		cmocka_unit_test(
			test_process_whose_first_thread_has_ended_is_there),
	};

	return cmocka_run_group_tests_name("cli_process", tests, NULL, NULL);
}
