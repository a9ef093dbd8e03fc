/* How far into a file a process has touched its mappings, as /proc shows. */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* As in the kernel's Documentation/admin-guide/mm/pagemap.rst: one such word
 * for each page of the memory of a process. */
#define PAGE_IS_PRESENT ((uint64_t)1 << 63)
#define WORDS_AT_ONCE 1024u

/* A mapping, or the part of it below an offset of the file. */
struct mapping {
	uint64_t first_page; /* in memory */
	uint64_t pages;
	uint64_t offset; /* in the file */
};

/* Takes a line of maps: false if that is another file's. */
static bool read_line(const char *line, const struct stat *file,
                      uint64_t page_bytes, uint64_t end,
                      struct mapping *mapping_out)
{
	uint64_t first, last, offset, inode;
	unsigned device_major, device_minor;

	if (sscanf(line,
	           "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %" SCNu64,
	           &first, &last, &offset, &device_major, &device_minor,
	           &inode) != 6 ||
	    inode != file->st_ino ||
	    makedev(device_major, device_minor) != file->st_dev ||
	    offset >= end)
		return false;
	uint64_t bytes = last - first;

	if (bytes > end - offset)
		bytes = end - offset;
	*mapping_out = (struct mapping){
		.first_page = first / page_bytes,
		.pages = (bytes + page_bytes - 1) / page_bytes,
		.offset = offset,
	};
	return true;
}

/* How many pages of a mapping there are up to the last that is present. */
static int count_present(int pagemap, const struct mapping *mapping,
                         uint64_t *count_out)
{
	uint64_t words[WORDS_AT_ONCE];
	uint64_t left = mapping->pages;

	while (left > 0) {
		uint64_t some = left < WORDS_AT_ONCE ? left : WORDS_AT_ONCE;
		uint64_t at = mapping->first_page + left - some;
		ssize_t got = pread(pagemap, words, some * sizeof(words[0]),
		                    (off_t)(at * sizeof(words[0])));

		if (got < 0)
			return -errno;
		if ((uint64_t)got != some * sizeof(words[0]))
			return -ESRCH;
		for (; some > 0; some--, left--) {
			if ((words[some - 1] & PAGE_IS_PRESENT) != 0) {
				*count_out = left;
				return 0;
			}
		}
	}
	*count_out = 0;
	return 0;
}

/* Goes through the mappings of the file.  0 if there are some. */
static int look_at_mappings(FILE *maps, int pagemap, const struct stat *file,
                            uint64_t end, uint64_t *offset_out)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	char *line = NULL;
	size_t line_bytes = 0;
	struct mapping mapping;
	int status = -ENOENT;

	*offset_out = 0;
	while (getline(&line, &line_bytes, maps) > 0) {
		uint64_t count = 0;

		if (!read_line(line, file, page_bytes, end, &mapping))
			continue;
		status = count_present(pagemap, &mapping, &count);
		if (status != 0)
			break;
		uint64_t offset = mapping.offset + count * page_bytes;

		if (count > 0 && offset > *offset_out)
			*offset_out = offset;
	}
	free(line);
	return status;
}

int shmlog_sys_touched(int64_t pid, const struct stat *file, uint64_t end,
                       uint64_t *offset_out)
{
	char path[64];
	int status;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/maps", pid);
	FILE *maps = fopen(path, "re");

	if (maps == NULL)
		return -errno;
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/pagemap", pid);
	int pagemap = open(path, O_RDONLY | O_CLOEXEC);

	if (pagemap >= 0) {
		status = look_at_mappings(maps, pagemap, file, end, offset_out);
		close(pagemap);
	} else {
		status = -errno;
	}
	fclose(maps);
	return status;
}
