/* Makes archives of logs, and compares them with the logs. */
#include "archive.h"

#include "progress.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands behind an archive's name until the archive is whole.  A process
 * that is killed leaves a file of this name, and the next one writes over
 * it. */
#define DRAFT_SUFFIX ".tmp"

void cli_archive_remove_draft(const char *path)
{
	char *draft;

	if (asprintf(&draft, "%s" DRAFT_SUFFIX, path) < 0)
		return;
	unlink(draft);
	free(draft);
}

#ifdef SHMLOG_ZSTD

#include <zstd.h>

bool cli_archive_supported(void)
{
	return true;
}

/* ----------------------------------------------------------------- reading */

/* An archive that is read from its start. */
struct unpacker {
	int fd;
	ZSTD_DStream *stream;
	unsigned char *bytes; /* compressed ones, */
	size_t bytes_size;
	ZSTD_inBuffer in; /* of which these are at hand */
};

static int open_unpacker(struct unpacker *unpacker, const char *path)
{
	*unpacker = (struct unpacker){
		.fd = open(path,
	                   O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK),
		.stream = ZSTD_createDStream(),
		.bytes_size = ZSTD_DStreamInSize(),
	};
	if (unpacker->fd < 0)
		return -errno;
	unpacker->bytes = malloc(unpacker->bytes_size);
	unpacker->in.src = unpacker->bytes;
	return unpacker->bytes != NULL && unpacker->stream != NULL ? 0
	                                                           : -ENOMEM;
}

static void close_unpacker(struct unpacker *unpacker)
{
	if (unpacker->fd >= 0)
		close(unpacker->fd);
	ZSTD_freeDStream(unpacker->stream);
	free(unpacker->bytes);
}

/* Fills a buffer.  Returns how many bytes there were, fewer only at the end of
 * the archive; -EBADMSG if it is none, or -errno. */
static ssize_t unpack(struct unpacker *unpacker, void *bytes, size_t size)
{
	ZSTD_outBuffer out = {.dst = bytes, .size = size};

	while (out.pos < size) {
		if (unpacker->in.pos == unpacker->in.size) {
			ssize_t got = read(unpacker->fd, unpacker->bytes,
			                   unpacker->bytes_size);

			if (got < 0 && errno == EINTR)
				continue;
			if (got < 0)
				return -errno;
			if (got == 0)
				break;
			unpacker->in.size = (size_t)got;
			unpacker->in.pos = 0;
		}
		if (ZSTD_isError(ZSTD_decompressStream(unpacker->stream, &out,
		                                       &unpacker->in)))
			return -EBADMSG;
	}
	return (ssize_t)out.pos;
}

static bool is_header(const uint64_t words[3])
{
	return words[0] >= SHMLOG_HEADER_BYTES &&
	       words[1] >= SHMLOG_HEADER_BYTES && words[0] <= words[2] &&
	       words[1] <= words[2];
}

bool cli_is_archive(const char *path)
{
	unsigned char bytes[SHMLOG_HEADER_BYTES];
	struct unpacker unpacker;
	uint64_t words[3] = {0};
	bool whole = open_unpacker(&unpacker, path) == 0 &&
	             unpack(&unpacker, bytes, sizeof(bytes)) ==
	                     (ssize_t)sizeof(bytes);

	for (size_t i = 0; whole && i < sizeof(bytes); i++)
		words[i / 8] |= (uint64_t)bytes[i] << i % 8 * 8;
	close_unpacker(&unpacker);
	return whole && is_header(words);
}

/* --------------------------------------------------------------- comparing */

/* Reads up to `size` bytes of a file: how many there were, or -errno. */
static ssize_t read_at(int fd, void *bytes, size_t size, uint64_t at)
{
	ssize_t got;

	if (cli_signal_caught() != 0)
		return -EINTR;
	do
		got = pread(fd, bytes, size, (off_t)at);
	while (got < 0 && errno == EINTR && cli_signal_caught() == 0);
	return got < 0 ? -errno : got;
}

/* Whether what is at hand of an archive is the first `size` bytes of a file. */
static bool is_equal(struct unpacker *unpacker, int fd, uint64_t size)
{
	unsigned char archived[16384];
	unsigned char bytes[sizeof(archived)];
	uint64_t at = 0;
	ssize_t part;

	while ((part = unpack(unpacker, archived, sizeof(archived))) > 0) {
		if ((uint64_t)part > size - at ||
		    read_at(fd, bytes, (size_t)part, at) != part ||
		    memcmp(bytes, archived, (size_t)part) != 0)
			return false;
		at += (uint64_t)part;
	}
	return part == 0 && at == size;
}

/* Whether a file is an archive of these bytes: one whose log an earlier run did
 * not come to remove. */
static bool is_archive_of(const char *path, int fd, uint64_t size)
{
	struct unpacker unpacker;
	bool equal = open_unpacker(&unpacker, path) == 0 &&
	             is_equal(&unpacker, fd, size);

	close_unpacker(&unpacker);
	return equal;
}

/* ------------------------------------------------------------------ making */

static int write_all(int fd, const unsigned char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, bytes, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		size -= (size_t)put;
	}
	return 0;
}

/* A log that is being compressed. */
struct packer {
	int from;
	int to;
	uint64_t size;
	ZSTD_CStream *stream;
	unsigned char *in;
	unsigned char *out;
	struct cli_progress progress;
};

/* Compresses bytes, and at the end what is left of those before. */
static int pack_part(struct packer *packer, size_t bytes, bool last)
{
	ZSTD_inBuffer in = {.src = packer->in, .size = bytes};
	ZSTD_EndDirective end = last ? ZSTD_e_end : ZSTD_e_continue;
	size_t left;

	do {
		ZSTD_outBuffer out = {.dst = packer->out,
		                      .size = ZSTD_CStreamOutSize()};

		left = ZSTD_compressStream2(packer->stream, &out, &in, end);
		if (ZSTD_isError(left))
			return -ENOMEM;
		int status = write_all(packer->to, packer->out, out.pos);

		if (status != 0)
			return status;
	} while (last ? left > 0 : in.pos < in.size);
	return 0;
}

static int pack(struct packer *packer)
{
	size_t most = ZSTD_CStreamInSize();
	uint64_t at = 0;
	int status;

	do {
		uint64_t left = packer->size - at;
		ssize_t part = read_at(packer->from, packer->in,
		                       left < most ? (size_t)left : most, at);

		if (part <= 0)
			return part < 0 ? (int)part : SHMLOG_ERR_MAPPING_GONE;
		at += (uint64_t)part;
		status = pack_part(packer, (size_t)part, at == packer->size);
		cli_progress_set(&packer->progress, at);
	} while (status == 0 && at < packer->size);
	return status;
}

/* Compresses into an open file, which will be named `path`. */
static int pack_into(int to, const char *path, int fd, uint64_t size)
{
	struct packer packer = {
		.from = fd,
		.to = to,
		.size = size,
		.stream = ZSTD_createCStream(),
		.in = malloc(ZSTD_CStreamInSize()),
		.out = malloc(ZSTD_CStreamOutSize()),
	};
	int status = -ENOMEM;

	if (packer.stream != NULL && packer.in != NULL && packer.out != NULL &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(packer.stream,
	                                         ZSTD_c_checksumFlag, 1)) &&
	    !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(packer.stream, size))) {
		cli_progress_begin(&packer.progress, path, size);
		status = pack(&packer);
		cli_progress_end(&packer.progress, status == 0);
	}
	ZSTD_freeCStream(packer.stream);
	free(packer.in);
	free(packer.out);
	return status;
}

/* Gives the archive the log's owner, permissions and time of the last
 * change. */
static int take_attributes(int to, int fd)
{
	struct stat log;
	struct stat archive;

	if (fstat(fd, &log) != 0 || fstat(to, &archive) != 0)
		return -errno;
	if ((log.st_uid != archive.st_uid || log.st_gid != archive.st_gid) &&
	    fchown(to, log.st_uid, log.st_gid) != 0)
		return -errno;
	if (fchmod(to, log.st_mode & 07777) != 0)
		return -errno;
#ifdef UTIME_NOW
	const struct timespec times[] = {log.st_atim, log.st_mtim};

	(void)futimens(to, times);
#endif
	return 0;
}

/* Makes the folder's change of names last, where the file system can. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL
	                       ? strdup(".")
	                       : strndup(path, (size_t)(slash - path) + 1);
	int fd = folder == NULL ? -1 : open(folder, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(folder);
}

/* Gives the draft its name, unless that is taken. */
static int name_draft(const char *draft, const char *path)
{
	struct stat taken;

	if (link(draft, path) == 0) {
		sync_folder(path);
		return 0;
	}
	if (errno == EEXIST || lstat(path, &taken) == 0)
		return -EEXIST;
	/* A file system without links. */
	if (rename(draft, path) != 0)
		return -errno;
	sync_folder(path);
	return 0;
}

static int make_draft(const char *draft, const char *path, int fd,
                      uint64_t size)
{
	int to = open(draft,
	              O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	              0600);

	if (to < 0)
		return -errno;
	int status = pack_into(to, path, fd, size);

	if (status == 0)
		status = take_attributes(to, fd);
	if (status == 0 && fsync(to) != 0)
		status = -errno;
	if (close(to) != 0 && status == 0)
		status = -errno;
	if (status == 0)
		status = name_draft(draft, path);
	return status;
}

/* Makes the archive, unless it is there already. */
static int make(const char *draft, const char *path, int fd, uint64_t size)
{
	struct stat taken;

	if (lstat(path, &taken) != 0)
		return make_draft(draft, path, fd, size);
	return is_archive_of(path, fd, size) ? 0 : -EEXIST;
}

int cli_archive_make(const char *path, int fd, uint64_t size)
{
	char *draft;

	if (asprintf(&draft, "%s" DRAFT_SUFFIX, path) < 0)
		return -ENOMEM;
	int status = make(draft, path, fd, size);

	free(draft);
	cli_archive_remove_draft(path);
	return status;
}

#else

bool cli_archive_supported(void)
{
	return false;
}

bool cli_is_archive(const char *path)
{
	(void)path;
	return false;
}

int cli_archive_make(const char *path, int fd, uint64_t size)
{
	(void)path;
	(void)fd;
	(void)size;
	return -ENOTSUP;
}

#endif
