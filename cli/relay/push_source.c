/* Opens the log that is pushed, and finds places in it. */
#include "push_source.h"

#include "command.h"
#include "open_log.h"
#include "rotated.h"

#include <string.h>

void push_source_begin(struct push_source *source, const char *path,
                       bool by_name)
{
	*source = (struct push_source){.path = path, .by_name = by_name};
	/* Libraries hold descriptors that are not counted here. */
	cli_name_watch_begin(&source->watch, 8);
	cli_named_begin(&source->named, path,
	                by_name ? CLI_FOLLOW_NAME : CLI_FOLLOW_FILE,
	                &source->watch);
}

void push_source_end(struct push_source *source)
{
	cli_named_end(&source->named);
	cli_name_watch_end(&source->watch);
}

static void note_id(struct push_source *source)
{
	if (source->named.now.log != NULL)
		source->id = relay_log_id(source->named.now.log);
}

int push_source_open(struct push_source *source, bool *ready_out)
{
	*ready_out = source->named.now.log != NULL;
	if (*ready_out)
		return CLI_OK;
	cli_named_watch(&source->named);
	int status = cli_named_open(&source->named, ready_out);

	note_id(source);
	return status;
}

int push_source_look(struct push_source *source, bool *switched_out)
{
	(void)cli_name_watch_came(&source->watch);
	int status = cli_named_look(&source->named, switched_out);

	if (status == CLI_OK && *switched_out)
		note_id(source);
	return status;
}

bool push_source_is_leaving(const struct push_source *source)
{
	return cli_named_is_leaving(&source->named);
}

/* Opens a log if it has this identity. */
static bool open_if_it_is(struct cli_source *into, const char *path,
                          const char *id)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED | SHMLOG_READER_SHOWN};

	if (shmlog_open(path, &into->log) != 0)
		return false;
	if (strcmp(relay_log_id(into->log).text, id) == 0 &&
	    shmlog_reader_open(into->log, &options, &into->reader) == 0)
		return true;
	shmlog_close(into->log);
	return false;
}

bool push_source_reopen(struct push_source *source, const char *id)
{
	struct cli_rotated_list rotated = {0};
	struct cli_source found = {0};
	bool is_found = false;

	if (!source->by_name || cli_rotated_find(source->path, &rotated) != 0) {
		cli_rotated_release(&rotated);
		return false;
	}
	for (size_t i = 0; i < rotated.count && !is_found; i++)
		is_found = !rotated.all[i].archived &&
		           open_if_it_is(&found, rotated.all[i].path, id);
	cli_rotated_release(&rotated);
	if (!is_found)
		return false;
	shmlog_reader_close(source->named.now.reader);
	shmlog_close(source->named.now.log);
	source->named.now = found;
	cli_named_look_soon(&source->named);
	note_id(source);
	return true;
}

/* Whether the next frame has this payload. */
static int compare_next(struct shmlog_reader *reader, const void *payload,
                        size_t size_bytes, bool *same_out)
{
	struct shmlog_frame frame;
	int result = shmlog_reader_next(reader, &frame);

	*same_out = result > 0 && frame.size_bytes == size_bytes &&
	            (size_bytes == 0 ||
	             memcmp(frame.payload, payload, size_bytes) == 0);
	return result < 0 ? result : 0;
}

/* Whether the next frames are these; what is no chain of frames is other. */
static int compare_frames(struct shmlog_reader *reader,
                          const unsigned char *bytes, size_t size_bytes,
                          bool *same_out)
{
	int status = 0;

	*same_out = true;
	while (status == 0 && *same_out && size_bytes > 0) {
		size_t total = size_bytes < SHMLOG_FRAME_OVERHEAD_BYTES
		                       ? 0
		                       : (size_t)(bytes[0] | bytes[1] << 8);

		if (total < SHMLOG_FRAME_OVERHEAD_BYTES || total > size_bytes) {
			*same_out = false;
			break;
		}
		status = compare_next(reader, bytes + 2,
		                      total - SHMLOG_FRAME_OVERHEAD_BYTES,
		                      same_out);
		bytes += total;
		size_bytes -= total;
	}
	return status;
}

enum push_match push_source_match(struct push_source *source,
                                  const struct engine_message *message,
                                  int *status_out)
{
	struct shmlog_reader *reader = push_source_reader(source);
	struct shmlog_neighbours around = {UINT64_MAX, UINT64_MAX};
	bool same = false;
	int status = shmlog_reader_seek(reader, message->cursor, &around);

	/* A place that is no frame start, rather than damage on the way. */
	if (status == SHMLOG_ERR_CURSOR && around.before != UINT64_MAX)
		return PUSH_DIFFERS;
	if (status == 0)
		status = message->frames > 0
		                 ? compare_frames(reader, message->bytes,
		                                  message->size_bytes, &same)
		                 : compare_next(reader, message->bytes,
		                                message->size_bytes, &same);
	if (status != 0) {
		*status_out = cli_reader_failed(source->path, reader, status);
		return PUSH_UNREADABLE;
	}
	return same ? PUSH_MATCHES : PUSH_DIFFERS;
}
