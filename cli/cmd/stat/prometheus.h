/*
 * The facts of logs as metrics of Prometheus, in the text format that the
 * textfile collector of node_exporter reads: all samples of a metric stand
 * together, so the facts of all logs are collected first.
 */
#ifndef STAT_PROMETHEUS_H
#define STAT_PROMETHEUS_H

#include "sizes.h"
#include "stdout_buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stat_role {
	STAT_READER,
	STAT_WRITER,
	STAT_APPENDER,
	STAT_ROLES,
};

/* The facts of a log. */
struct stat_metrics {
	const char *path;
	uint64_t status;
	bool has_length; /* capacity */
	bool has_fill;   /* used and free */
	bool has_frames; /* the numbers below */
	uint64_t capacity;
	uint64_t used_bytes;
	uint64_t free_bytes;
	uint64_t frames;
	uint64_t payload_bytes;
	uint64_t leftover_frames;
	uint64_t damaged_ranges;
	uint64_t damaged_bytes;
	bool has_processes;
	uint64_t processes[STAT_ROLES];
	bool has_sizes; /* the buckets are wanted */
	struct cli_sizes_bucket buckets[CLI_SIZES_BUCKETS];
	size_t bucket_count;
};

/* All zeros is none. */
struct stat_collection {
	struct stat_metrics *logs;
	size_t count;
};

/* Adds a log; its path must stay.  One that is there already is left out, as a
 * sample may be there once.  False if memory is short. */
bool stat_collect(struct stat_collection *collection,
                  const struct stat_metrics *metrics);
void stat_collection_release(struct stat_collection *collection);

void stat_print_metrics(const struct stat_collection *collection,
                        struct cli_output *output);

/* Replaces a file by the metrics.  CLI_OK; or an exit status after a message,
 * with the file as it was. */
int stat_save_metrics(const struct stat_collection *collection,
                      const char *path);

#endif
