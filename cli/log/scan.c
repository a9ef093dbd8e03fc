/* Reads the frames of a part of a log. */
#include "scan.h"

#include "command.h"
#include "open_log.h"

int cli_scan_open(struct cli_scan *scan, const char *path)
{
	scan->path = path;
	scan->begin = 0;
	scan->end = UINT64_MAX;
	scan->reverse = false;
	return cli_open_reader(path, &scan->log, &scan->reader);
}

void cli_scan_close(struct cli_scan *scan)
{
	shmlog_reader_close(scan->reader);
	shmlog_close(scan->log);
	scan->reader = NULL;
	scan->log = NULL;
}

int cli_scan_set_range(struct cli_scan *scan, struct cli_range *range,
                       int *damage_out)
{
	int status = cli_range_find(range, scan->log, scan->reader, scan->path,
	                            damage_out);

	scan->begin = range->begin;
	scan->end = range->end;
	scan->reverse = range->reverse;
	return status;
}

static int next_backwards(struct cli_scan *scan)
{
	if (shmlog_reader_cursor(scan->reader) <= scan->begin)
		return 0;
	int result = shmlog_reader_prev(scan->reader, scan->frames);

	return result > 0 && scan->frames[0].cursor < scan->begin ? 0 : result;
}

static int next_forwards(struct cli_scan *scan, uint64_t most)
{
	size_t count = most < CLI_BATCH_FRAMES ? (size_t)most
	                                       : CLI_BATCH_FRAMES;

	if (shmlog_reader_cursor(scan->reader) >= scan->end)
		return 0;
	int result = shmlog_reader_next_batch(scan->reader, count, 0,
	                                      scan->frames);

	if (result <= 0)
		return result;
	return (int)cli_frames_before(scan->frames, (size_t)result, scan->end);
}

int cli_scan_next(struct cli_scan *scan, uint64_t most)
{
	if (most == 0)
		return 0;
	return scan->reverse ? next_backwards(scan) : next_forwards(scan, most);
}
