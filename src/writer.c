/* The one writer of a log: frames reserved in the mapping itself, published
 * together. */
#include "mapping.h"
#include "sys.h"
#include "write_access.h"

#include <errno.h>
#include <stdlib.h>

struct shmlog_writer {
	/* Holds what was reserved and published, and where the mapping is.  Its
	 * `size_word` is NULL where a commit is more than a store. */
	struct shmlog_fast_writer fast;
	struct shmlog *log;
	struct shmlog_write_access access;
	struct shmlog_mapping *mapping; /* writable, the whole file */
	bool debug_checks;
	bool keeps_lock;
	bool interfered; /* somebody moved size: this writer is done */
};

static void use_mapping(struct shmlog_writer *writer,
                        struct shmlog_mapping *mapping)
{
	writer->mapping = mapping;
	writer->fast.base = mapping->base;
	writer->fast.limit = mapping->length;
	writer->fast.size_word = NULL;
	if (!writer->debug_checks && !writer->interfered)
		writer->fast.size_word =
			(uint64_t *)(void *)(mapping->base +
		                             SHMLOG_SIZE_OFFSET);
}

/* Enters the log to stay.  The append mutex is held. */
static int acquire(struct shmlog_writer *writer,
                   const struct shmlog_writer_options *options)
{
	struct shmlog *log = writer->log;
	const struct shmlog_access_terms terms = {
		.force = (options->flags & SHMLOG_WRITER_FORCE) != 0,
		.lock_timeout_ns = options->lock_timeout_ns,
	};
	struct shmlog_mapping *mapping;
	int status = shmlog_access_acquire(log, &terms, &writer->access);

	if (status != 0)
		return status;
	status = shmlog_mapping_acquire(log, writer->access.fd, true,
	                                writer->access.size, &mapping);
	if (status != 0) {
		shmlog_access_release(&writer->access);
		return status;
	}
	use_mapping(writer, mapping);
	log->has_writer = true;
	/* Where everybody can see that this process has the log open for
	 * writing, or at least its mark, that keeps others out, and they need
	 * not wait for the lock to be told so. */
	shmlog_sys_mark_written(writer->access.fd);
	writer->keeps_lock = !writer->access.no_other_writer;
	if (!writer->keeps_lock)
		shmlog_unlock(log);
	return 0;
}

int shmlog_writer_open(struct shmlog *log,
                       const struct shmlog_writer_options *options,
                       struct shmlog_writer **writer_out)
{
	struct shmlog_writer_options chosen = {0};
	struct shmlog_writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL)
		return -ENOMEM;
	if (options != NULL)
		chosen = *options;
	writer->log = log;
	writer->fast.writer = writer;
	writer->debug_checks = (chosen.flags & SHMLOG_WRITER_DEBUG_CHECKS) != 0;
	pthread_mutex_lock(&log->append_mutex);
	int status = acquire(writer, &chosen);

	pthread_mutex_unlock(&log->append_mutex);
	if (status != 0) {
		free(writer);
		return status;
	}
	writer->fast.size = writer->fast.reserved = writer->access.size;
	*writer_out = writer;
	return 0;
}

void shmlog_writer_close(struct shmlog_writer *writer)
{
	if (writer == NULL)
		return;
	struct shmlog *log = writer->log;

	shmlog_mapping_retire(log, writer->mapping);
	pthread_mutex_lock(&log->append_mutex);
	shmlog_access_close(&writer->access);
	if (writer->keeps_lock)
		shmlog_unlock(log);
	log->has_writer = false;
	pthread_mutex_unlock(&log->append_mutex);
	free(writer);
}

/*
 * What allocate and commit seldom come to stands apart and is not inlined, so
 * that what they usually do needs no stack frame: 1.4 times as many 64-byte
 * frames a second, each with a commit of its own.
 */
#define SELDOM __attribute__((noinline))

/* Looks whether the file has grown enough for a frame of `total` bytes. */
static int grow(struct shmlog_writer *writer, uint32_t total)
{
	struct shmlog_mapping *longer;
	uint64_t least_length = writer->fast.reserved + total;

	int status = shmlog_mapping_acquire(writer->log, writer->access.fd,
	                                    true, least_length, &longer);

	if (status != 0)
		return status == SHMLOG_ERR_MAPPING_GONE ? SHMLOG_ERR_FULL
		                                         : status;
	/* The longer one keeps this one: payloads handed out stay valid. */
	shmlog_mapping_release(writer->log, writer->mapping);
	use_mapping(writer, longer);
	return 0;
}

/* Reserves a frame of `total` bytes, for which there is room. */
static inline int reserve(struct shmlog_writer *writer, uint32_t total,
                          unsigned char **payload_out)
{
	uint64_t start = writer->fast.reserved;
	unsigned char *frame = writer->fast.base + start;

	__builtin_prefetch(frame + SHMLOG_FAST_AHEAD_BYTES, 1);
	shmlog_store_word(frame, total);
	shmlog_store_word(frame + total - 2, total);
	writer->fast.last_address = start + 2;
	writer->fast.reserved = start + total;
	*payload_out = frame + 2;
	return 0;
}

static SELDOM int grow_and_reserve(struct shmlog_writer *writer, uint32_t total,
                                   unsigned char **payload_out)
{
	int status = grow(writer, total);

	return status == 0 ? reserve(writer, total, payload_out) : status;
}

int shmlog_writer_allocate(struct shmlog_writer *writer, size_t size_bytes,
                           unsigned char **payload_out)
{
	if (size_bytes > SHMLOG_PAYLOAD_MAX_BYTES)
		return SHMLOG_ERR_PAYLOAD_SIZE;

	uint32_t total = (uint32_t)size_bytes + SHMLOG_FRAME_OVERHEAD_BYTES;

	if (total > writer->fast.limit - writer->fast.reserved)
		return grow_and_reserve(writer, total, payload_out);
	return reserve(writer, total, payload_out);
}

/* Whether the reservations are still the frames that they were. */
static bool reservations_are_whole(const struct shmlog_writer *writer)
{
	size_t fitting;
	uint64_t frames;
	size_t bytes = (size_t)(writer->fast.reserved - writer->fast.size);

	return shmlog_format_chain(writer->fast.base + writer->fast.size, bytes,
	                           bytes, &fitting, &frames);
}

/* Somebody has moved size to `found`. */
SELDOM int shmlog_writer_interfered(struct shmlog_writer *writer,
                                    uint64_t found)
{
	writer->interfered = true;
	writer->fast.size_word = NULL;
	return found < writer->log->data_offset ? SHMLOG_ERR_MAPPING_GONE
	                                        : SHMLOG_ERR_INTERFERED;
}

static inline int publish(struct shmlog_writer *writer)
{
	struct shmlog_file_header *header = shmlog_mapping_header(
		writer->mapping);
	uint64_t expected = writer->fast.size;

	/* A reader may look at all below the new size once it sees it, so
	 * every payload byte must be visible first; and a size that somebody
	 * else has moved stands for frames of theirs, which must stay. */
	if (!atomic_compare_exchange_strong_explicit(
		    &header->size, &expected, writer->fast.reserved,
		    memory_order_release, memory_order_relaxed))
		return shmlog_writer_interfered(writer, expected);
	writer->fast.size = writer->fast.reserved;
	return 0;
}

static SELDOM int check_and_publish(struct shmlog_writer *writer)
{
	int status;

	if (!reservations_are_whole(writer))
		return SHMLOG_ERR_FRAME_CORRUPT;
	status = publish(writer);
	return status == 0 ? shmlog_check_length(writer->access.fd,
	                                         writer->fast.size)
	                   : status;
}

int shmlog_writer_commit(struct shmlog_writer *writer)
{
	if (writer->interfered)
		return SHMLOG_ERR_INTERFERED;
	if (writer->fast.reserved == writer->fast.size)
		return 0;
	return writer->debug_checks ? check_and_publish(writer)
	                            : publish(writer);
}

struct shmlog_fast_writer *shmlog_writer_fast(struct shmlog_writer *writer)
{
	return &writer->fast;
}

void shmlog_writer_rollback(struct shmlog_writer *writer)
{
	writer->fast.reserved = writer->fast.size;
}

uint64_t shmlog_writer_cursor(const struct shmlog_writer *writer)
{
	return writer->fast.size - writer->log->data_offset;
}

uint64_t shmlog_writer_free_bytes(const struct shmlog_writer *writer)
{
	return writer->fast.limit - writer->fast.reserved;
}

uint64_t
shmlog_writer_last_allocated_address(const struct shmlog_writer *writer)
{
	return writer->fast.last_address;
}

int shmlog_writer_buffer_at_address(struct shmlog_writer *writer,
                                    uint64_t address, size_t size_bytes,
                                    unsigned char **payload_out)
{
	uint64_t first = writer->log->data_offset + 2;

	if (address < first || address > writer->fast.reserved)
		return SHMLOG_ERR_CURSOR;

	unsigned char *frame = writer->fast.base + address - 2;
	uint32_t total = shmlog_format_frame(frame, writer->fast.reserved -
	                                                    (address - 2));

	if (total == 0 || size_bytes > total - SHMLOG_FRAME_OVERHEAD_BYTES)
		return SHMLOG_ERR_CURSOR;
	*payload_out = frame + 2;
	return 0;
}
