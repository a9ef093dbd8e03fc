/*
 * What readers cost a writer: readers LOG COUNT BYTES READERS
 *
 * Writes COUNT frames of BYTES bytes to an empty log, a commit each, while
 * READERS processes follow it; all of them must see all frames.  Prints the
 * nanoseconds of processor time that the writer took: with more processes
 * than cores, time on the wall would say how they share the cores.
 */
#include "mapped.h"

#define MOST_READERS 64
#define BATCH 64
#define PAYLOAD_BYTES SHMLOG_PAYLOAD_MAX_BYTES
#define LIMIT_NS (INT64_C(20) * 1000000000)

static int64_t processor_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

__attribute__((noreturn)) static void follow(const char *path, uint64_t count,
                                             int ready)
{
	struct shmlog_frame batch[BATCH];
	struct shmlog *log;
	struct shmlog_reader *reader;

	check(shmlog_open(path, &log), path);
	check(shmlog_reader_open(log, NULL, &reader), path);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (uint64_t seen = 0; seen < count;) {
		int got = shmlog_reader_next_batch(reader, BATCH, 0, batch);

		check(got, path);
		seen += (uint64_t)got;
		if (got == 0 && shmlog_reader_wait(reader, LIMIT_NS, 0) != 1)
			die("a reader saw %" PRIu64 " frames", seen);
	}
	_exit(0);
}

static void start_readers(const char *path, uint64_t count, size_t readers)
{
	char byte;
	int fds[2];

	make_pipe(fds);
	for (size_t i = 0; i < readers; i++) {
		pid_t parent = getpid();
		pid_t pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (pid == 0) {
#ifdef __linux__
			prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
			if (getppid() != parent)
				_exit(1);
			follow(path, count, fds[1]);
		}
	}
	for (size_t i = 0; i < readers; i++)
		if (read(fds[0], &byte, 1) != 1)
			die("a reader did not start");
	close(fds[0]);
	close(fds[1]);
}

static int64_t write_frames(const char *path, uint64_t count, size_t bytes)
{
	static unsigned char payload[PAYLOAD_BYTES];
	struct shmlog *log;
	struct shmlog_writer *writer;
	unsigned char *to;

	check(shmlog_open(path, &log), path);
	check(shmlog_writer_open(log, NULL, &writer), path);
	fault_writer(writer);

	int64_t begin = processor_ns();

	for (uint64_t n = 0; n < count; n++) {
		check(shmlog_writer_allocate(writer, bytes, &to), path);
		memcpy(to, payload, bytes);
		check(shmlog_writer_commit(writer), path);
	}
	int64_t span = processor_ns() - begin;

	shmlog_writer_close(writer);
	shmlog_close(log);
	return span;
}

int main(int argc, char **argv)
{
	int status;

	if (argc != 5)
		die("usage: readers LOG COUNT BYTES READERS");

	uint64_t count = number(argv[2]);
	size_t bytes = number(argv[3]);
	size_t readers = number(argv[4]);

	if (readers > MOST_READERS || bytes > PAYLOAD_BYTES)
		die("too many readers or bytes");
	start_readers(argv[1], count, readers);

	int64_t span = write_frames(argv[1], count, bytes);

	while (wait(&status) > 0)
		if (status != 0)
			die("a reader failed");
	printf("%" PRId64 "\n", span);
	return fflush(stdout) == 0 ? 0 : 1;
}
