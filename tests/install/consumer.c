/* A program that uses the installed library; C and C++ alike. */
#include <shmlog.h>

#include <stdio.h>
#include <string.h>

/* Writes by the functions that are compiled into this program. */
static int write_one(struct shmlog *log)
{
	struct shmlog_writer *writer;
	unsigned char *payload;
	int status = shmlog_writer_open(log, NULL, &writer);

	if (status != 0)
		return status;
	struct shmlog_fast_writer *fast = shmlog_writer_fast(writer);

	status = shmlog_fast_allocate(fast, 5, &payload);
	if (status == 0) {
		memcpy(payload, "hello", 5);
		status = shmlog_fast_commit(fast);
	}
	shmlog_writer_close(writer);
	return status;
}

/* Reads by the function that is compiled into this program. */
static int read_one(struct shmlog *log)
{
	struct shmlog_reader *reader;
	struct shmlog_frame frame;
	int status = shmlog_reader_open(log, NULL, &reader);

	if (status != 0)
		return status;
	status = shmlog_fast_next(shmlog_reader_fast(reader), &frame);
	if (status == 1)
		printf("%.*s at %d in version %s\n", (int)frame.size_bytes,
		       (const char *)frame.payload, (int)frame.cursor,
		       shmlog_version());
	shmlog_reader_close(reader);
	return status == 1 ? 0 : status;
}

int main(int argc, char **argv)
{
	struct shmlog *log;
	int status;

	if (argc != 2)
		return 2;
	status = shmlog_create(argv[1], 4096, 0600, 0);
	if (status == 0)
		status = shmlog_open(argv[1], &log);
	if (status == 0) {
		status = write_one(log);
		if (status == 0)
			status = read_one(log);
		shmlog_close(log);
	}
	if (status != 0)
		fprintf(stderr, "%s\n", shmlog_strerror(status));
	return status != 0;
}
