/* Loading and saving cursor files. */
#include "cursor_file.h"

#include "blocking.h"
#include "command.h"
#include "escape.h"
#include "failure.h"
#include "json_check.h"
#include "json_document.h"
#include "json_scan.h"
#include "message.h"
#include "replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far more bytes than a cursor file has; and than a line has beside the name of
 * its log. */
#define MOST_BYTES (16 << 20)
#define LINE_BYTES 256u

static int refuse(const char *path)
{
	cli_message(path, "is no cursor file; nothing was changed");
	return CLI_OTHER_LOG;
}

/* --------------------------------------------------------------- loading */

/* Finds the name of the log in a line that is sound JSON; as it is written
 * there. */
static bool read_name(const char *line, size_t line_bytes,
                      struct cli_cursor *cursor)
{
	struct cli_json_scan scan;
	struct cli_json_member member;
	struct cli_json_span name = {0};

	cursor->name = NULL;
	if (!cli_json_begin_object(&scan, line, line_bytes))
		return false;
	while (cli_json_take_member(&scan, &member)) {
		if (cli_json_string_is(member.name, "log") &&
		    cli_json_is_string(member.value))
			name = cli_json_inside(member.value);
	}
	if (name.bytes != NULL)
		cursor->name = strndup((const char *)name.bytes,
		                       name.size_bytes);
	return name.bytes == NULL || cursor->name != NULL;
}

/* Reads one cursor; false if the text is none. */
static bool read_cursor(const char *text, size_t text_bytes,
                        struct cli_cursor *cursor)
{
	struct cli_json_error error;
	struct cli_document *document = cli_document_parse(text, text_bytes,
	                                                   &error);

	if (document == NULL)
		return false;
	bool whole = cli_document_u64(document, "device",
	                              &cursor->log.device) &&
	             cli_document_u64(document, "inode", &cursor->log.inode) &&
	             cli_document_i64(document, "birth_ns",
	                              &cursor->log.birth_ns) &&
	             cli_document_u64(document, "cursor", &cursor->cursor);

	/* Files that earlier versions wrote do not have it. */
	if (!cli_document_u64(document, "filesystem", &cursor->log.filesystem))
		cursor->log.filesystem = 0;
	cli_document_free(document);
	return whole && read_name(text, text_bytes, cursor);
}

/* Makes room for one more; there is as much as the next power of two. */
static bool make_room(struct cli_cursors *cursors)
{
	size_t count = cursors->count;

	if ((count & (count - 1)) == 0) {
		struct cli_cursor *larger = realloc(
			cursors->list,
			(count > 0 ? 2 * count : 1) * sizeof(*larger));

		if (larger == NULL)
			return false;
		cursors->list = larger;
	}
	cursors->list[count] = (struct cli_cursor){0};
	return true;
}

static int compare_names(const char *one, const char *other)
{
	if (one == NULL || other == NULL)
		return (one != NULL) - (other != NULL);
	return strcmp(one, other);
}

/* Of equal cursors the one that stands first in the file comes first. */
static int by_name(const void *a, const void *b)
{
	const struct cli_cursor *one = *(struct cli_cursor *const *)a;
	const struct cli_cursor *other = *(struct cli_cursor *const *)b;
	int order = compare_names(one->name, other->name);

	return order != 0 ? order : (one > other) - (one < other);
}

static int by_inode(const void *a, const void *b)
{
	const struct cli_cursor *one = *(struct cli_cursor *const *)a;
	const struct cli_cursor *other = *(struct cli_cursor *const *)b;

	if (one->log.inode != other->log.inode)
		return one->log.inode < other->log.inode ? -1 : 1;
	return (one > other) - (one < other);
}

/* The cursors in an order, to be freed; NULL when memory is short. */
static struct cli_cursor **sort(const struct cli_cursors *cursors,
                                int (*compare)(const void *a, const void *b))
{
	struct cli_cursor **sorted = malloc(cursors->count *
	                                    sizeof(struct cli_cursor *));

	for (size_t i = 0; i < cursors->count && sorted != NULL; i++)
		sorted[i] = &cursors->list[i];
	if (sorted != NULL)
		qsort(sorted, cursors->count, sizeof(struct cli_cursor *),
		      compare);
	return sorted;
}

/* 0 or -ENOMEM. */
static int sort_cursors(struct cli_cursors *cursors)
{
	cursors->by_name = sort(cursors, by_name);
	cursors->by_inode = sort(cursors, by_inode);
	return cursors->by_name != NULL && cursors->by_inode != NULL ? 0
	                                                             : -ENOMEM;
}

/* The text is one cursor, or has one on each line. */
static bool read_cursors(const char *text, size_t text_bytes,
                         struct cli_cursors *cursors)
{
	if (!make_room(cursors))
		return false;
	if (read_cursor(text, text_bytes, cursors->list)) {
		cursors->count = 1;
		return true;
	}
	while (text_bytes > 0) {
		const char *end = memchr(text, '\n', text_bytes);
		size_t length = end != NULL ? (size_t)(end - text) : text_bytes;

		if (!make_room(cursors) ||
		    !read_cursor(text, length, &cursors->list[cursors->count]))
			return false;
		cursors->count++;
		length += end != NULL;
		text += length;
		text_bytes -= length;
	}
	return true;
}

/* Reads all of a file of that size: 0 or -errno. */
static int read_all(int fd, char *text, size_t *size_bytes)
{
	size_t used = 0;

	while (used < *size_bytes) {
		ssize_t got = cli_read(fd, text + used, *size_bytes - used);

		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	*size_bytes = used;
	return 0;
}

static int load(int fd, const char *path, struct cli_cursors *cursors)
{
	struct stat file = {0};
	bool is_file = fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
	size_t size_bytes = (size_t)file.st_size;

	/* A device or a pipe must not be replaced by a file. */
	if (!is_file)
		return S_ISDIR(file.st_mode)
		               ? cli_fail(path, "cannot read", -EISDIR)
		               : refuse(path);
	/* An empty file, as mktemp(1) makes it, is a cursor not yet taken. */
	if (size_bytes == 0)
		return CLI_OK;
	if (file.st_size > MOST_BYTES)
		return refuse(path);
	char *text = malloc(size_bytes);
	int status = text != NULL ? read_all(fd, text, &size_bytes) : -ENOMEM;

	if (status != 0)
		status = cli_fail(path, "cannot read", status);
	else if (!read_cursors(text, size_bytes, cursors))
		status = refuse(path);
	else if (sort_cursors(cursors) != 0)
		status = cli_fail(path, "cannot read", -ENOMEM);
	free(text);
	return status;
}

int cli_cursor_file_load(const char *path, struct cli_cursors *cursors_out)
{
	int fd = cli_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	                  0);

	*cursors_out = (struct cli_cursors){0};
	if (fd < 0)
		return errno == ENOENT ? CLI_OK
		                       : cli_fail(path, "cannot open", -errno);
	int status = load(fd, path, cursors_out);

	close(fd);
	return status;
}

void cli_cursors_release(struct cli_cursors *cursors)
{
	for (size_t i = 0; i < cursors->count; i++)
		free(cursors->list[i].name);
	free(cursors->list);
	free(cursors->by_name);
	free(cursors->by_inode);
	*cursors = (struct cli_cursors){0};
}

char *cli_cursor_name(const char *path)
{
	size_t length = strlen(path);
	char *name = malloc(length * CLI_ESCAPE_JSON_MAX + 1);

	if (name != NULL)
		name[cli_escape_json((unsigned char *)name,
		                     (const unsigned char *)path, length)] =
			'\0';
	return name;
}

struct cli_cursor *cli_cursors_named(const struct cli_cursors *cursors,
                                     const char *name)
{
	size_t low = 0, high = cursors->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_names(cursors->by_name[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < cursors->count &&
	                       compare_names(cursors->by_name[low]->name,
	                                     name) == 0
	               ? cursors->by_name[low]
	               : NULL;
}

/* The first cursor that was taken in a log. */
static struct cli_cursor *find_taken_in(const struct cli_cursors *cursors,
                                        const struct shmlog_identity *log)
{
	size_t low = 0, high = cursors->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cursors->by_inode[middle]->log.inode < log->inode)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < cursors->count &&
	       cursors->by_inode[low]->log.inode == log->inode;
	     low++) {
		if (shmlog_same_file(&cursors->by_inode[low]->log, log))
			return cursors->by_inode[low];
	}
	return NULL;
}

struct cli_cursor *cli_cursors_find(const struct cli_cursors *cursors,
                                    const char *name, const struct shmlog *log)
{
	struct cli_cursor *cursor = cli_cursors_named(cursors, name);
	struct shmlog_identity identity = shmlog_identity(log);

	return cursor != NULL ? cursor : find_taken_in(cursors, &identity);
}

/* ---------------------------------------------------------------- saving */

/* One line for each cursor, in a buffer to be freed; NULL when memory is
 * short. */
static char *write_lines(const struct cli_cursors *cursors, size_t *bytes_out)
{
	size_t room = 1, used = 0;

	for (size_t i = 0; i < cursors->count; i++)
		room += LINE_BYTES + (cursors->list[i].name != NULL
		                              ? strlen(cursors->list[i].name)
		                              : 0);
	char *text = malloc(room);

	for (size_t i = 0; i < cursors->count && text != NULL; i++) {
		const struct cli_cursor *cursor = &cursors->list[i];

		used += (size_t)snprintf(
			text + used, room - used,
			"{%s%s%s\"device\":%" PRIu64 ",\"inode\":%" PRIu64
			",\"birth_ns\":%" PRId64 ",\"filesystem\":%" PRIu64
			",\"cursor\":%" PRIu64 "}\n",
			cursor->name != NULL ? "\"log\":\"" : "",
			cursor->name != NULL ? cursor->name : "",
			cursor->name != NULL ? "\"," : "", cursor->log.device,
			cursor->log.inode, cursor->log.birth_ns,
			cursor->log.filesystem, cursor->cursor);
	}
	*bytes_out = used;
	return text;
}

bool cli_cursors_are_in_log(const struct cli_cursors *cursors, const char *path)
{
	struct stat file;
	size_t i = 0;

	if (stat(path, &file) != 0)
		return false;
	while (i < cursors->count &&
	       ((uint64_t)file.st_dev != cursors->list[i].log.device ||
	        (uint64_t)file.st_ino != cursors->list[i].log.inode))
		i++;
	return i < cursors->count;
}

int cli_cursor_file_save(const char *path, const struct cli_cursors *cursors)
{
	size_t text_bytes;
	char *text = write_lines(cursors, &text_bytes);
	int status = text != NULL ? cli_replace(path, text, text_bytes)
	                          : -ENOMEM;

	free(text);
	return status;
}

bool cli_cursor_is_of(const struct cli_cursor *cursor, const struct shmlog *log)
{
	struct shmlog_identity identity = shmlog_identity(log);

	return shmlog_same_file(&cursor->log, &identity);
}
