/*
 * Copies a log from standard input or from a zstd archive to a file without a
 * name.  The copy passes through two buffers of a fixed size; zeros, of which
 * the free part of a log is made, become holes.
 */
#include "spool.h"

#include "blocking.h"
#include "command.h"
#include "failure.h"
#include "header_text.h"
#include "message.h"
#include "progress.h"
#include "signals.h"
#include "unnamed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef SHMLOG_ZSTD
#include <zstd.h>
#endif

#define BUFFER_BYTES ((size_t)128 << 10)
/* Zeros become a hole where they fill a piece. */
#define PIECE_BYTES ((size_t)4096)
/* No log is as long as this: what has such a word in its header is none, and
 * may have no end. */
#define LENGTH_MAX ((uint64_t)1 << 48)
/* The memory that an archive may need, which zstd asks for up to --ultra -22;
 * --long=28 and above ask for more. */
#define WINDOW_LOG_MAX 27

struct spool {
	const char *name; /* for messages */
	int input;
	int fd;
	uint64_t length;
	unsigned char header[SHMLOG_HEADER_BYTES];
	unsigned char *in;
	unsigned char *out; /* of an archive, unpacked */
	bool no_log;        /* the header says so: the rest is not read */
	struct cli_progress progress;
};

bool cli_is_standard_input(const char *path)
{
	return strcmp(path, "-") == 0;
}

static bool has_archive_magic(const unsigned char *bytes, size_t size_bytes)
{
	static const unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};

	return size_bytes >= sizeof(magic) &&
	       memcmp(bytes, magic, sizeof(magic)) == 0;
}

bool cli_is_zstd_file(const char *path)
{
	unsigned char magic[4];
	struct stat file;
	bool is_archive = false;
	int fd;

	/* Opening a pipe or a device may do something. */
	if (stat(path, &file) != 0 || !S_ISREG(file.st_mode))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return false;
	is_archive = pread(fd, magic, sizeof(magic), 0) ==
	                     (ssize_t)sizeof(magic) &&
	             has_archive_magic(magic, sizeof(magic));
	close(fd);
	return is_archive;
}

bool cli_is_spooled(const char *path)
{
	return cli_is_standard_input(path) || cli_is_zstd_file(path);
}

int cli_refuse_spooled(const char *path)
{
	if (cli_is_standard_input(path))
		return cli_usage_error("- is standard input, which is read and "
		                       "not changed; ./- is a log of that "
		                       "name");
	if (!cli_is_zstd_file(path))
		return CLI_OK;
	cli_message(path, "not a log: it is a zstd archive, which is read and "
	                  "not changed; nothing was changed");
	return CLI_NOT_LOG;
}

int cli_refuse_follow(const char *path)
{
	struct cli_quoted quoted;

	if (!cli_is_spooled(path))
		return CLI_OK;
	return cli_usage_error("%s is %s: it is read to its end and not "
	                       "followed",
	                       cli_quote(&quoted, path),
	                       cli_is_standard_input(path) ? "standard input"
	                                                   : "a zstd archive");
}

/* ---------------------------------------------------------------- the file */

static bool is_zero(const unsigned char *bytes, size_t size_bytes)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size_bytes - 1) == 0;
}

/* 0 or -errno. */
static int write_at(int fd, const unsigned char *bytes, size_t size_bytes,
                    uint64_t offset)
{
	while (size_bytes > 0) {
		ssize_t done = pwrite(fd, bytes, size_bytes, (off_t)offset);

		if (done < 0 && errno == EINTR && cli_signal_caught() == 0)
			continue;
		if (done < 0)
			return -errno;
		bytes += done;
		offset += (uint64_t)done;
		size_bytes -= (size_t)done;
	}
	return 0;
}

static void look_at_header(struct spool *spool)
{
	uint64_t words[SHMLOG_HEADER_BYTES / sizeof(uint64_t)];

	memcpy(words, spool->header, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i] < SHMLOG_HEADER_BYTES || words[i] > LENGTH_MAX)
			spool->no_log = true;
	}
}

/* Adds bytes to the file: 0 or -errno. */
static int put(struct spool *spool, const unsigned char *bytes,
               size_t size_bytes)
{
	uint64_t header = sizeof(spool->header);

	if (cli_signal_caught() != 0)
		return -EINTR;
	for (size_t i = 0; i < size_bytes && spool->length + i < header; i++)
		spool->header[spool->length + i] = bytes[i];
	if (spool->length < header && spool->length + size_bytes >= header)
		look_at_header(spool);
	while (size_bytes > 0) {
		size_t piece = size_bytes < PIECE_BYTES ? size_bytes
		                                        : PIECE_BYTES;
		int status = is_zero(bytes, piece)
		                     ? 0
		                     : write_at(spool->fd, bytes, piece,
		                                spool->length);

		if (status != 0)
			return status;
		spool->length += piece;
		bytes += piece;
		size_bytes -= piece;
	}
	return 0;
}

/* --------------------------------------------------------------- the input */

static int fail_read(struct spool *spool, int error)
{
	cli_progress_end(&spool->progress, false);
	if (error == EINTR && cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return cli_fail(spool->name, "cannot read", -error);
}

static int fail_write(struct spool *spool, int status)
{
	cli_progress_end(&spool->progress, false);
	if (status == -EINTR && cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	cli_message(spool->name,
	            "cannot be copied to an unnamed file in TMPDIR or /tmp "
	            "after %" PRIu64 " bytes: %s",
	            spool->length, shmlog_strerror(status));
	return CLI_SYSTEM;
}

/* Reads what comes next: CLI_OK, with 0 bytes at the end. */
static int read_some(struct spool *spool, size_t have, size_t *got_out)
{
	ssize_t got = cli_read(spool->input, spool->in + have,
	                       BUFFER_BYTES - have);

	*got_out = got < 0 ? 0 : (size_t)got;
	cli_progress_set(&spool->progress, spool->progress.done + *got_out);
	return got < 0 ? fail_read(spool, errno) : CLI_OK;
}

/* Copies what is no archive, of which `have` bytes are read. */
static int copy_plain(struct spool *spool, size_t have)
{
	int status = CLI_OK;

	while (status == CLI_OK && have > 0 && !spool->no_log) {
		int written = put(spool, spool->in, have);

		if (written != 0)
			return fail_write(spool, written);
		status = read_some(spool, 0, &have);
	}
	return status;
}

#ifdef SHMLOG_ZSTD

static int bad_archive(const struct spool *spool, const char *reason)
{
	cli_message(spool->name,
	            "not a log: its zstd archive %s, after %" PRIu64
	            " unpacked bytes",
	            reason, spool->length);
	return CLI_NOT_LOG;
}

/* Unpacks what was read.  *left_out is 0 behind the end of a part of the
 * archive, of which there may be several. */
static int unpack_some(struct spool *spool, ZSTD_DStream *stream, size_t have,
                       size_t *left_out)
{
	ZSTD_inBuffer in = {spool->in, have, 0};
	ZSTD_outBuffer out = {spool->out, BUFFER_BYTES, BUFFER_BYTES};

	/* A full output buffer may not have been all. */
	while ((in.pos < in.size || out.pos == out.size) && !spool->no_log) {
		int written;

		if (in.pos == in.size && *left_out == 0)
			break;
		out.pos = 0;
		*left_out = ZSTD_decompressStream(stream, &out, &in);
		if (ZSTD_isError(*left_out)) {
			char reason[128];

			(void)snprintf(reason, sizeof(reason),
			               "cannot be unpacked (%s)",
			               ZSTD_getErrorName(*left_out));
			return bad_archive(spool, reason);
		}
		written = put(spool, spool->out, out.pos);
		if (written != 0)
			return fail_write(spool, written);
	}
	return CLI_OK;
}

/* Unpacks an archive, of which `have` bytes are read. */
static int unpack(struct spool *spool, size_t have)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	size_t left = 1;
	int status = CLI_OK;

	spool->out = malloc(BUFFER_BYTES);
	if (stream == NULL || spool->out == NULL ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax,
	                                        WINDOW_LOG_MAX)))
		status = cli_fail(spool->name, "cannot unpack", -ENOMEM);
	while (status == CLI_OK && have > 0 && !spool->no_log) {
		status = unpack_some(spool, stream, have, &left);
		if (status == CLI_OK)
			status = read_some(spool, 0, &have);
	}
	if (status == CLI_OK && left != 0 && !spool->no_log)
		status = bad_archive(spool, "ends too early");
	ZSTD_freeDStream(stream);
	return status;
}

#else

static int unpack(struct spool *spool, size_t have)
{
	(void)have;
	cli_message(spool->name,
	            "is a zstd archive, and shmlog was built without zstd, "
	            "which libzstd-dev (libzstd-devel, zstd-dev) brings; zstd "
	            "-dc FILE | shmlog ... - reads it");
	return CLI_SYSTEM;
}

#endif

/* The length of what is read, if it is a file; 0 otherwise. */
static uint64_t input_length(const struct spool *spool)
{
	struct stat file;

	return fstat(spool->input, &file) == 0 && S_ISREG(file.st_mode)
	               ? (uint64_t)file.st_size
	               : 0;
}

static int copy_input(struct spool *spool)
{
	size_t have = 0, got = 1;
	int status = CLI_OK;

	spool->in = malloc(BUFFER_BYTES);
	if (spool->in == NULL)
		return cli_fail(spool->name, "cannot read", -ENOMEM);
	while (status == CLI_OK && have < 4 && got > 0) {
		status = read_some(spool, have, &got);
		have += got;
	}
	if (status != CLI_OK)
		return status;
	status = has_archive_magic(spool->in, have) ? unpack(spool, have)
	                                            : copy_plain(spool, have);
	if (status == CLI_OK && ftruncate(spool->fd, (off_t)spool->length) != 0)
		status = fail_write(spool, -errno);
	return status;
}

/* ------------------------------------------------------------------ opening */

static int open_copy(const struct spool *spool, struct shmlog **log_out)
{
	struct shmlog_header header = {.capacity = spool->length};
	struct cli_header_text text;
	int status = shmlog_open_fd(spool->fd, log_out);

	if (status == 0)
		return CLI_OK;
	if (!cli_is_header_status(status))
		return cli_fail(spool->name, "cannot open its copy", status);
	memcpy(&header.header_size, spool->header, sizeof(uint64_t));
	memcpy(&header.data_offset, spool->header + 8, sizeof(uint64_t));
	memcpy(&header.size, spool->header + 16, sizeof(uint64_t));
	cli_message(spool->name, "not a log: %s",
	            cli_describe_header(&text, status, &header));
	return CLI_NOT_LOG;
}

int cli_open_spooled(const char *path, struct shmlog **log_out)
{
	bool standard = cli_is_standard_input(path);
	struct spool spool = {
		.name = standard ? "standard input" : path,
		.input = standard
	                         ? STDIN_FILENO
	                         : cli_open(path,
	                                    O_RDONLY | O_CLOEXEC | O_NOCTTY, 0),
	};
	int status = CLI_OK;

	if (spool.input < 0)
		return cli_fail(path, "cannot open", -errno);
	spool.fd = cli_open_unnamed();
	if (spool.fd < 0)
		status = fail_write(&spool, spool.fd);
	if (status == CLI_OK) {
		cli_progress_begin(&spool.progress, spool.name,
		                   input_length(&spool));
		spool.progress.note = "copying it to an unnamed file";
		status = copy_input(&spool);
		cli_progress_end(&spool.progress, status == CLI_OK);
	}
	if (status == CLI_OK)
		status = open_copy(&spool, log_out);
	if (spool.fd >= 0)
		close(spool.fd);
	if (!standard)
		close(spool.input);
	free(spool.in);
	free(spool.out);
	return status;
}
