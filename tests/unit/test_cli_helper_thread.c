/* Threads that leave signals to their caller: the library's and those of the
 * commands. */
#include "support.h"

#include "helper_thread.h"
#include "quiet_thread.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

typedef bool start_function(pthread_t *thread_out, void *(*run)(void *),
                            void *argument);

static bool start_library_thread(pthread_t *thread_out, void *(*run)(void *),
                                 void *argument)
{
	return shmlog_start_quiet_thread(thread_out, 256 << 10, run, argument);
}

static bool start_command_thread(pthread_t *thread_out, void *(*run)(void *),
                                 void *argument)
{
	return cli_start_helper_thread(thread_out, run, argument) == 0;
}

static start_function *const starts[] = {start_library_thread,
                                         start_command_thread};

static void *copy_mask(void *mask_out)
{
	pthread_sigmask(SIG_SETMASK, NULL, mask_out);
	return NULL;
}

TEST(test_signals_are_blocked_in_the_thread_alone)
{
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		sigset_t own, blocked;
		pthread_t thread;

		assert_true(starts[i](&thread, copy_mask, &blocked));
		pthread_join(thread, NULL);
		copy_mask(&own);
		for (int number = SIGHUP; number <= SIGTERM; number++) {
			assert_int_equal(sigismember(&own, number), 0);
			/* One that nobody can block, and the one below. */
			if (number != SIGKILL && number != SIGBUS)
				assert_int_equal(sigismember(&blocked, number),
				                 1);
		}
	}
}

static void *volatile missing;
static size_t page_bytes;

/* A private page in place of the one that is missing. */
static void patch_page(int number)
{
	(void)number;
	if (mmap(missing, page_bytes, PROT_READ | PROT_WRITE,
	         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(90);
}

static void *read_missing(void *value_out)
{
	*(int *)value_out = *(volatile unsigned char *)missing;
	return NULL;
}

TEST(test_handler_of_a_missing_page_runs_in_the_thread)
{
	struct sigaction action = {.sa_handler = patch_page};
	struct sigaction before;

	if (runs_on_valgrind())
		skip();
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	sigaction(SIGBUS, &action, &before);
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		int fd = open(scratch("cut"), O_RDWR | O_CREAT | O_CLOEXEC,
		              0600);
		int value = -1;
		pthread_t thread;

		assert_true(fd >= 0);
		missing = mmap(NULL, page_bytes, PROT_READ, MAP_SHARED, fd, 0);
		assert_ptr_not_equal(missing, MAP_FAILED);
		assert_true(starts[i](&thread, read_missing, &value));
		pthread_join(thread, NULL);
		assert_int_equal(value, 0);
		munmap(missing, page_bytes);
		close(fd);
	}
	sigaction(SIGBUS, &before, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals_are_blocked_in_the_thread_alone),
		cmocka_unit_test(
			test_handler_of_a_missing_page_runs_in_the_thread),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
