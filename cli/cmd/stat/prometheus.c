/* Prints the facts of logs as metrics of Prometheus. */
#include "prometheus.h"

#include "command.h"
#include "failure.h"
#include "message.h"
#include "replacement.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool stat_collect(struct stat_collection *collection,
                  const struct stat_metrics *metrics)
{
	struct stat_metrics *larger;

	for (size_t i = 0; i < collection->count; i++) {
		if (strcmp(collection->logs[i].path, metrics->path) == 0)
			return true;
	}
	larger = realloc(collection->logs,
	                 (collection->count + 1) * sizeof(*larger));
	if (larger == NULL)
		return false;
	larger[collection->count++] = *metrics;
	collection->logs = larger;
	return true;
}

void stat_collection_release(struct stat_collection *collection)
{
	free(collection->logs);
	*collection = (struct stat_collection){0};
}

/* ----------------------------------------------------------------- metrics */

/* A metric with one sample for each log of which it is known. */
struct metric {
	const char *name;
	const char *type;
	const char *help;
	size_t known;  /* the offset of a bool; SIZE_MAX: always */
	size_t offset; /* of the value */
};

#define METRIC(name_, type_, known_, member, help_)                    \
	{                                                              \
		.name = "shmlog_" name_, .type = type_, .help = help_, \
		.known = offsetof(struct stat_metrics, known_),        \
		.offset = offsetof(struct stat_metrics, member)        \
	}

static const struct metric metrics[] = {
	{.name = "shmlog_status",
         .type = "gauge",
         .help = "The exit status of shmlog stat: 0 for a sound log, 1 for a "
                 "damaged one, others for one that cannot be read.",
         .known = SIZE_MAX,
         .offset = offsetof(struct stat_metrics, status)},
	METRIC("capacity_bytes", "gauge", has_length, capacity,
               "The length of the file."),
	METRIC("used_bytes", "gauge", has_fill, used_bytes,
               "Committed bytes, the frames with their size words."),
	METRIC("free_bytes", "gauge", has_fill, free_bytes,
               "Bytes that are left for frames."),
	METRIC("frames_total", "counter", has_frames, frames,
               "Whole frames in the log."),
	METRIC("payload_bytes_total", "counter", has_frames, payload_bytes,
               "Bytes of the payloads of all frames."),
	METRIC("leftover_frames", "gauge", has_frames, leftover_frames,
               "Whole frames behind the committed data."),
	METRIC("damaged_ranges", "gauge", has_frames, damaged_ranges,
               "Ranges of the committed data that are damaged."),
	METRIC("damaged_bytes", "gauge", has_frames, damaged_bytes,
               "Bytes in these ranges."),
};

static bool flag_at(const struct stat_metrics *log, size_t offset)
{
	return offset == SIZE_MAX ||
	       *(const bool *)((const char *)log + offset);
}

static uint64_t value_at(const struct stat_metrics *log, size_t offset)
{
	return *(const uint64_t *)((const char *)log + offset);
}

/* ---------------------------------------------------------------- printing */

static void print_head(struct cli_output *output, const char *name,
                       const char *type, const char *help)
{
	cli_output_format(output, "# HELP %s %s\n# TYPE %s %s\n", name, help,
	                  name, type);
}

/* The value of a label: UTF-8, in which a backslash, a quote and a newline are
 * escaped. */
static void print_text(struct cli_output *output, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text);

	while (left > 0) {
		unsigned code_point;
		size_t step = cli_utf8_decode(at, left, &code_point);

		if (step == 0)
			cli_output_string(output, "\xef\xbf\xbd");
		else if (*at == '\n')
			cli_output_string(output, "\\n");
		else if (*at == '\\' || *at == '"')
			cli_output_format(output, "\\%c", *at);
		else
			cli_output_bytes(output, at, step);
		step = step == 0 ? 1 : step;
		at += step;
		left -= step;
	}
}

/* A sample up to its value; more labels are ready, with a comma before them. */
static void print_sample(struct cli_output *output, const char *name,
                         const struct stat_metrics *log, const char *more)
{
	cli_output_format(output, "%s{path=\"", name);
	print_text(output, log->path);
	cli_output_format(output, "\"%s} ", more);
}

static void print_value(struct cli_output *output, uint64_t value)
{
	cli_output_u64(output, value);
	cli_output_string(output, "\n");
}

static void print_metric(const struct stat_collection *collection,
                         const struct metric *metric, struct cli_output *output)
{
	print_head(output, metric->name, metric->type, metric->help);
	for (size_t i = 0; i < collection->count; i++) {
		const struct stat_metrics *log = &collection->logs[i];

		if (!flag_at(log, metric->known))
			continue;
		print_sample(output, metric->name, log, "");
		print_value(output, value_at(log, metric->offset));
	}
}

static bool any_has(const struct stat_collection *collection, size_t flag)
{
	for (size_t i = 0; i < collection->count; i++) {
		if (flag_at(&collection->logs[i], flag))
			return true;
	}
	return false;
}

static void print_processes(const struct stat_collection *collection,
                            struct cli_output *output)
{
	static const char *const roles[STAT_ROLES] = {
		[STAT_READER] = ",role=\"reader\"",
		[STAT_WRITER] = ",role=\"writer\"",
		[STAT_APPENDER] = ",role=\"appender\"",
	};

	print_head(output, "shmlog_processes", "gauge",
	           "Processes that are seen to have the log open.");
	for (size_t i = 0; i < collection->count; i++) {
		const struct stat_metrics *log = &collection->logs[i];

		for (size_t k = 0; k < STAT_ROLES && log->has_processes; k++) {
			print_sample(output, "shmlog_processes", log, roles[k]);
			print_value(output, log->processes[k]);
		}
	}
}

/* How many payloads have up to 0, 1, 3, 7, ... bytes: the same buckets for all
 * logs at all times, as those who compare them expect. */
static void print_buckets(const struct stat_metrics *log,
                          struct cli_output *output)
{
	uint64_t count = 0;
	size_t next = 0;

	for (unsigned i = 0; i < CLI_SIZES_BUCKETS; i++) {
		uint64_t most = (UINT64_C(1) << i) - 1;
		char label[48];

		while (next < log->bucket_count &&
		       log->buckets[next].min <= most)
			count += log->buckets[next++].count;
		(void)snprintf(label, sizeof(label), ",le=\"%" PRIu64 "\"",
		               most);
		print_sample(output, "shmlog_payload_size_bytes_bucket", log,
		             label);
		print_value(output, count);
	}
	print_sample(output, "shmlog_payload_size_bytes_bucket", log,
	             ",le=\"+Inf\"");
	print_value(output, count);
	print_sample(output, "shmlog_payload_size_bytes_sum", log, "");
	print_value(output, log->payload_bytes);
	print_sample(output, "shmlog_payload_size_bytes_count", log, "");
	print_value(output, count);
}

static void print_sizes(const struct stat_collection *collection,
                        struct cli_output *output)
{
	print_head(output, "shmlog_payload_size_bytes", "histogram",
	           "How large the payloads are.");
	for (size_t i = 0; i < collection->count; i++) {
		if (collection->logs[i].has_sizes)
			print_buckets(&collection->logs[i], output);
	}
}

void stat_print_metrics(const struct stat_collection *collection,
                        struct cli_output *output)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		if (any_has(collection, metrics[i].known))
			print_metric(collection, &metrics[i], output);
	}
	if (any_has(collection, offsetof(struct stat_metrics, has_processes)))
		print_processes(collection, output);
	if (any_has(collection, offsetof(struct stat_metrics, has_sizes)))
		print_sizes(collection, output);
}

/* ------------------------------------------------------------------ saving */

static int write_metrics(const struct stat_collection *collection, int fd)
{
	struct cli_output output;
	int status = cli_output_init(&output, fd);

	if (status != 0)
		return status;
	stat_print_metrics(collection, &output);
	status = cli_output_flush(&output);
	cli_output_release(&output);
	return status;
}

int stat_save_metrics(const struct stat_collection *collection,
                      const char *path)
{
	struct cli_replacement replacement;
	int status = cli_replacement_begin(&replacement, path);

	if (status == 0)
		status = cli_replacement_end(
			&replacement,
			write_metrics(collection, replacement.fd));
	if (status == CLI_REPLACEMENT_IS_NO_FILE) {
		cli_message(path, "cannot be replaced: it is no regular file; "
		                  "left as it is");
		return CLI_SYSTEM;
	}
	return status == 0 ? CLI_OK
	                   : cli_fail(path, "cannot be replaced", status);
}
