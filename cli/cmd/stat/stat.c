/* Shows what a log holds and in what state it is. */
#include "color.h"
#include "command.h"
#include "condition.h"
#include "distinct.h"
#include "expectations.h"
#include "failure.h"
#include "fault_text.h"
#include "found_logs.h"
#include "json_write.h"
#include "log_arguments.h"
#include "log_list.h"
#include "message.h"
#include "numbers.h"
#include "open_log.h"
#include "option_values.h"
#include "options.h"
#include "picture.h"
#include "progress.h"
#include "prometheus.h"
#include "replacement.h"
#include "rows.h"
#include "shared_options.h"
#include "signals.h"
#include "sizes.h"
#include "spool.h"
#include "terminal.h"
#include "users.h"
#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_OUTPUT,
	OPTION_PROCS,
	OPTION_HISTOGRAM,
	OPTION_WATCH,
	OPTION_EXPECT,
	OPTION_UNTIL,
	OPTION_TIMEOUT,
	OPTION_TO,
	OPTION_COLOR,
	OPTION_PROGRESS,
};

static const struct cli_argument_kind format_words = CLI_ONE_OF("text", "json",
                                                                "prometheus");

static const struct cli_option stat_options[] = {
	[OPTION_OUTPUT] = {.letter = 'o',
                           .name = "output",
                           .value = "FORMAT",
                           .kind = &format_words,
                           .help = "text (default), json or prometheus"},
	[OPTION_PROCS] = {.name = "procs",
                          .help = "list the processes that have the log open"},
	[OPTION_HISTOGRAM] = {.name = "histogram",
                              .help = "draw how large the payloads are"},
	[OPTION_WATCH] = {.name = "watch",
                          .value = "DURATION",
                          .kind = &cli_takes_duration,
                          .value_optional = true,
                          .help = "show the rates once per DURATION; 1s if "
                                  "not given"},
	[OPTION_EXPECT] = {.name = "expect",
                           .value = "EXPR",
                           .kind = &cli_takes_text,
                           .repeatable = true,
                           .help = "print nothing; status 1 where the JSON "
                                   "does not pass"},
	[OPTION_UNTIL] = {.name = "until",
                          .value = "EXPR",
                          .kind = &cli_takes_text,
                          .help = "end --watch when the JSON of an interval "
                                  "passes"},
	CLI_TIMEOUT_OPTION(OPTION_TIMEOUT),
	[OPTION_TO] = {.name = "to",
                       .value = "FILE",
                       .kind = &cli_takes_file,
                       .help = "replace FILE by what -o prometheus prints"},
	CLI_COLOR_OPTION(OPTION_COLOR),
	CLI_PROGRESS_OPTION(OPTION_PROGRESS),
};

#define WATCH_DEFAULT_NS INT64_C(1000000000)
#define WATCH_MIN_NS INT64_C(1000000)

/* The most damaged ranges that are shown: a hostile log has millions. */
#define DAMAGE_MAX 64u

/* The bits of `known`: which facts about a log are known. */
enum {
	KNOWS_LENGTH = 1u << 0, /* the length of the file */
	KNOWS_WORDS = 1u << 1,  /* the header's words */
	KNOWS_HEADER = 1u << 2, /* the words are sound */
	KNOWS_FRAMES = 1u << 3, /* the log was walked to its end */
	KNOWS_SIZES = 1u << 4,  /* there are frames */
	KNOWS_LOSS = 1u << 5,   /* there is damage */
};

struct stat_facts {
	unsigned known;
	const char *path;
	const char *state;
	uint64_t status; /* the exit status */
	const char *error;
	struct shmlog_header header;
	uint64_t committed_bytes;
	uint64_t free_bytes;
	double used_percent;
	struct shmlog_verify_report report;
	struct cli_sizes sizes;
	struct cli_sizes_summary summary;
	const char *tail;
	uint64_t last_damage_end;
	struct shmlog_damage damage[DAMAGE_MAX];
	size_t damage_count;
	struct cli_header_text error_text;
	const char *header_fault;
	char header_fault_text[96];
	struct cli_progress progress;
};

#define ROW(group_, key_, label_, kind_, member, needs_)                       \
	{                                                                      \
		.group = group_, .key = key_, .label = label_, .kind = kind_,  \
		.offset = offsetof(struct stat_facts, member), .needs = needs_ \
	}

static const struct cli_row stat_rows[] = {
	ROW(NULL, "path", NULL, CLI_ROW_TEXT, path, 0),
	ROW(NULL, "state", "state", CLI_ROW_TEXT, state, 0),
	ROW(NULL, "status", NULL, CLI_ROW_COUNT, status, 0),
	ROW(NULL, "error", "error", CLI_ROW_TEXT, error, 0),
	ROW(NULL, "header_size", "header size", CLI_ROW_BYTES,
            header.header_size, KNOWS_WORDS),
	ROW(NULL, "data_offset", "data offset", CLI_ROW_COUNT,
            header.data_offset, KNOWS_WORDS),
	ROW(NULL, "size", "size", CLI_ROW_COUNT, header.size, KNOWS_WORDS),
	ROW(NULL, "capacity", "capacity", CLI_ROW_BYTES, header.capacity,
            KNOWS_LENGTH),
	ROW(NULL, "committed_bytes", "used", CLI_ROW_BYTES, committed_bytes,
            KNOWS_HEADER),
	ROW(NULL, "free_bytes", "free", CLI_ROW_BYTES, free_bytes,
            KNOWS_HEADER),
	ROW(NULL, "used_percent", "fill", CLI_ROW_PERCENT, used_percent,
            KNOWS_HEADER),
	ROW(NULL, "frames", "frames", CLI_ROW_COUNT, report.frames,
            KNOWS_FRAMES),
	ROW("payload", "total", "payload total", CLI_ROW_BYTES,
            report.payload_bytes, KNOWS_FRAMES),
	ROW("payload", "min", "payload smallest", CLI_ROW_BYTES, summary.min,
            KNOWS_SIZES),
	ROW("payload", "mean", "payload mean", CLI_ROW_DECIMAL, summary.mean,
            KNOWS_SIZES),
	ROW("payload", "median", "payload median", CLI_ROW_DECIMAL,
            summary.median, KNOWS_SIZES),
	ROW("payload", "max", "payload largest", CLI_ROW_BYTES, summary.max,
            KNOWS_SIZES),
	ROW(NULL, "tail", "tail", CLI_ROW_TEXT, tail, KNOWS_FRAMES),
	ROW(NULL, "leftover_frames", "leftover frames", CLI_ROW_COUNT,
            report.leftover_frames, KNOWS_FRAMES),
	ROW(NULL, "leftover_bytes", "leftover bytes", CLI_ROW_BOOL,
            report.leftover_bytes, KNOWS_FRAMES),
	ROW(NULL, "header_fault", "header", CLI_ROW_TEXT, header_fault, 0),
	ROW(NULL, "frames_in_gap", NULL, CLI_ROW_COUNT, report.frames_in_gap,
            KNOWS_FRAMES),
	ROW(NULL, "damaged_ranges", NULL, CLI_ROW_COUNT, report.damaged_ranges,
            KNOWS_FRAMES),
	ROW(NULL, NULL, "damaged ranges", CLI_ROW_COUNT, report.damaged_ranges,
            KNOWS_LOSS),
	ROW(NULL, "damaged_bytes", NULL, CLI_ROW_BYTES, report.damaged_bytes,
            KNOWS_FRAMES),
	ROW(NULL, NULL, "damaged bytes", CLI_ROW_BYTES, report.damaged_bytes,
            KNOWS_LOSS),
};

#define ROW_COUNT (sizeof(stat_rows) / sizeof(stat_rows[0]))

/* ---------------------------------------------------- gathering the facts */

static int pass_bytes(void *context, uint64_t bytes)
{
	struct stat_facts *facts = context;

	facts->progress.note = NULL;
	facts->progress.is_apart = false;
	cli_progress_set(&facts->progress, bytes);
	return cli_signal_caught() != 0 ? -EINTR : 0;
}

/* Called while the place is searched where frames go on. */
static int pass_time(void *context)
{
	struct stat_facts *facts = context;

	facts->progress.note = "looking for frames behind damage";
	facts->progress.is_apart = true;
	cli_progress_set(&facts->progress, facts->progress.done);
	return cli_signal_caught() != 0 ? -EINTR : 0;
}

static int keep_damage(void *context, const struct shmlog_damage *damage)
{
	struct stat_facts *facts = context;

	if (facts->damage_count < DAMAGE_MAX)
		facts->damage[facts->damage_count++] = *damage;
	facts->last_damage_end = damage->end_cursor;
	cli_progress_set(&facts->progress, damage->end_cursor);
	return cli_signal_caught() != 0 ? -EINTR : 0;
}

/* Records why nothing, or nothing more, is known about a log, and reports
 * it. */
static void note_refusal(struct stat_facts *facts, int status)
{
	facts->status = (uint64_t)cli_exit_status(status);
	if (facts->status == CLI_NOT_LOG) {
		facts->state = "no log";
		facts->error = cli_describe_header(&facts->error_text, status,
		                                   &facts->header);
		cli_message(facts->path, "not a log: %s", facts->error);
		return;
	}
	facts->state = "unreadable";
	snprintf(facts->error_text.text, sizeof(facts->error_text.text), "%s",
	         shmlog_strerror(status));
	facts->error = facts->error_text.text;
	cli_fail(facts->path, "cannot read", status);
}

/* Computes the facts that follow from a sound header. */
static void derive_fill(struct stat_facts *facts)
{
	const struct shmlog_header *header = &facts->header;

	facts->known |= KNOWS_LENGTH | KNOWS_WORDS | KNOWS_HEADER;
	facts->committed_bytes = header->size - header->data_offset;
	facts->free_bytes = header->capacity - header->size;
	facts->used_percent = cli_used_percent(
		facts->committed_bytes, header->capacity - header->data_offset);
}

/* Checks a possible header against the frames behind it. */
static void judge_header(struct stat_facts *facts)
{
	uint64_t gap = facts->report.frames_in_gap;
	char *text = facts->header_fault_text;
	size_t capacity = sizeof(facts->header_fault_text);

	if (facts->header.header_size > facts->header.data_offset)
		snprintf(text, capacity, "headerSize lies beyond dataOffset");
	else if (gap > 0)
		snprintf(text, capacity,
		         "dataOffset is likely wrong: %" PRIu64 " whole "
		         "frame%s stand%s before it",
		         gap, gap == 1 ? "" : "s", gap == 1 ? "s" : "");
	else
		return;
	facts->header_fault = text;
}

static void judge_frames(struct stat_facts *facts, int damaged_ranges)
{
	const struct shmlog_verify_report *report = &facts->report;

	facts->known |= KNOWS_FRAMES;
	if (cli_sizes_summarise(&facts->sizes, &facts->summary))
		facts->known |= KNOWS_SIZES;
	if (report->damaged_ranges > 0)
		facts->known |= KNOWS_LOSS;
	facts->tail = "clean";
	if (report->torn)
		facts->tail = "torn";
	else if (report->damaged_ranges > 0 &&
	         facts->last_damage_end == facts->committed_bytes)
		facts->tail = "damaged";
	judge_header(facts);
	if (damaged_ranges > 0) {
		facts->state = "damaged";
		facts->status = CLI_NO;
	}
}

static void walk(struct stat_facts *facts, struct shmlog *log)
{
	const struct shmlog_counter counter = {
		.passed = pass_bytes,
		.damage = keep_damage,
		.keep_going = pass_time,
		.context = facts,
		.size_counts = facts->sizes.counts,
	};

	cli_progress_begin(&facts->progress, facts->path,
	                   facts->committed_bytes);
	int result = shmlog_count(log, &counter, &facts->report);

	cli_progress_end(&facts->progress, result >= 0);
	if (result == -EINTR && cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	if (result < 0) {
		note_refusal(facts, result);
		return;
	}
	/* The header that the walk used, which may be newer than the first
	 * one. */
	facts->header = facts->report.header;
	facts->sizes.frames = facts->report.frames;
	facts->sizes.total_bytes = facts->report.payload_bytes;
	derive_fill(facts);
	judge_frames(facts, result);
}

/* The same for what is copied first; a message has said what is wrong. */
static void gather_copy(struct stat_facts *facts, struct shmlog **log_out)
{
	int result = 0;

	facts->status = (uint64_t)cli_open_to_read(facts->path, log_out);
	if (facts->status != CLI_OK) {
		facts->state = facts->status == CLI_NOT_LOG ? "no log"
		                                            : "unreadable";
		facts->error = "cannot be read as a log";
		return;
	}
	result = shmlog_read_header(*log_out, &facts->header);
	if (result == 0)
		result = cli_sizes_init(&facts->sizes);
	if (result == 0) {
		derive_fill(facts);
		walk(facts, *log_out);
	} else {
		note_refusal(facts, result);
	}
}

/* Opens the log and fills in the facts.  *log_out is NULL if there is none. */
static void gather(struct stat_facts *facts, struct shmlog **log_out)
{
	facts->state = "sound";
	*log_out = NULL;
	if (cli_is_spooled(facts->path)) {
		gather_copy(facts, log_out);
		return;
	}

	int status = shmlog_inspect(facts->path, &facts->header);

	if (status == 0) {
		derive_fill(facts);
		status = shmlog_open(facts->path, log_out);
	} else if (status <= SHMLOG_ERR_TOO_SHORT &&
	           status >= SHMLOG_ERR_SIZE) {
		facts->known |= KNOWS_LENGTH;
		if (status != SHMLOG_ERR_TOO_SHORT)
			facts->known |= KNOWS_WORDS;
	}
	if (status == 0)
		status = cli_sizes_init(&facts->sizes);
	if (status == 0)
		walk(facts, *log_out);
	else
		note_refusal(facts, status);
}

/* -------------------------------------------------------------- processes */

struct process_list {
	const char *path;
	uint64_t size; /* the header's; 0 if it is not known */
	uint64_t data_offset;
	struct shmlog_process *items;
	size_t count;
	size_t capacity;
	bool cut;   /* no memory for all of them */
	int unseen; /* processes that could not be looked into, or -errno */
};

static int keep_process(void *context, const struct shmlog_process *process)
{
	struct process_list *list = context;

	if (list->count == list->capacity) {
		size_t capacity = list->capacity * 2 + 8;
		void *items = realloc(list->items,
		                      capacity * sizeof(*list->items));

		if (!items) {
			list->cut = true;
			return -ENOMEM;
		}
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = *process;
	return 0;
}

static void list_processes(struct process_list *list, const char *path)
{
	struct shmlog_header header;

	*list = (struct process_list){.path = path};
	/* Now, rather than before a walk that may have taken long. */
	if (shmlog_inspect(path, &header) == 0) {
		list->size = header.size;
		list->data_offset = header.data_offset;
	}
	list->unseen = shmlog_processes_at(path, keep_process, list);
	if (list->cut)
		list->unseen = -ENOMEM;
}

/* An appender has write access only during a commit, or while a session keeps
 * it. */
static const char *role_of(const struct shmlog_process *process)
{
	if (process->appends)
		return "appender";
	return process->writes ? "writer" : "reader";
}

/* How many bytes a reader has still to read, as far as that is known. */
struct lag {
	bool known;
	uint64_t least;
	uint64_t most;
};

static uint64_t bytes_behind(const struct process_list *list, uint64_t offset)
{
	if (offset < list->data_offset)
		offset = list->data_offset;
	return offset < list->size ? list->size - offset : 0;
}

/* The system maps what lies around a page that is touched, up to this. */
#define TOUCHED_AROUND 65536u

/* Of a reader that shows no place, by the pages that it has touched: in the
 * last of them it has looked at a frame, which may reach beyond it. */
static struct lag lag_by_pages(const struct process_list *list, int64_t pid)
{
	uint64_t end;
	struct lag lag = {.known = false};

	if (shmlog_touched_end(list->path, pid, list->size, &end) != 0 ||
	    end == 0)
		return lag;
	lag.known = true;
	lag.most = bytes_behind(
		list, end > TOUCHED_AROUND ? end - TOUCHED_AROUND : 0);
	/* The first ones are touched with the header, wherever it reads. */
	if (end > TOUCHED_AROUND)
		lag.least = bytes_behind(list, end + SHMLOG_FRAME_MAX_BYTES);
	return lag;
}

static struct lag lag_of(const struct process_list *list,
                         const struct shmlog_process *process)
{
	struct lag lag = {.known = false};

	if (list->size == 0 || process->writes || process->appends)
		return lag;
	if (process->followers == 0)
		return process->mapped ? lag_by_pages(list, process->pid) : lag;
	lag.known = true;
	lag.least = bytes_behind(list, process->follower_offset);
	lag.most = lag.least;
	return lag;
}

static void print_lag(struct cli_output *output,
                      const struct process_list *list,
                      const struct shmlog_process *process)
{
	struct lag lag = lag_of(list, process);

	if (process->writes || process->appends)
		return;
	if (!lag.known)
		cli_output_string(output, ", lag not known");
	else if (lag.least == lag.most)
		cli_output_format(output, ", lag %" PRIu64, lag.least);
	else
		cli_output_format(output, ", lag %" PRIu64 " to %" PRIu64,
		                  lag.least, lag.most);
}

static void add_lag(struct cli_object *object, const struct process_list *list,
                    const struct shmlog_process *process)
{
	struct lag lag = lag_of(list, process);

	if (lag.known) {
		cli_object_u64(object, "lag_min", lag.least);
		cli_object_u64(object, "lag_max", lag.most);
	} else {
		cli_object_null(object, "lag_min");
		cli_object_null(object, "lag_max");
	}
}

/* The state of a process with regard to the lock, or NULL. */
static const char *lock_of(const struct shmlog_process *process)
{
	if (process->holds_lock)
		return "held";
	return process->waits_for_lock ? "awaited" : NULL;
}

static void print_process(struct cli_output *output,
                          const struct process_list *list,
                          const struct shmlog_process *process)
{
	const char *lock = lock_of(process);
	struct cli_user user = {.text = ""};

	cli_report_label(output, "process");
	cli_output_format(output, "%" PRId64 "  %s, %s%s%s", process->pid,
	                  role_of(process), process->mapped ? "mapped" : "open",
	                  lock ? ", lock " : "", lock ? lock : "");
	print_lag(output, list, process);
	cli_output_string(output, "  ");
	cli_report_escaped(output, cli_user_name(&user, process->uid));
	cli_output_string(output, "  ");
	cli_report_escaped(output, process->command);
	cli_output_string(output, "\n");
}

static void print_processes(struct cli_output *output,
                            const struct process_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		print_process(output, list, &list->items[i]);
	if (list->unseen < 0) {
		cli_report_label(output,
		                 list->count > 0 ? "not seen" : "process");
		cli_output_format(output, "cannot be told from /proc%s: %s\n",
		                  list->count > 0 ? " whether there are more"
		                                  : "",
		                  shmlog_strerror(list->unseen));
	} else if (list->count == 0) {
		cli_report_label(output, "process");
		cli_output_string(output, "none seen\n");
	}
	if (list->unseen > 0) {
		cli_report_label(output, "not seen");
		cli_output_format(output,
		                  "%d process%s that may not be looked "
		                  "into: there may be more\n",
		                  list->unseen, list->unseen == 1 ? "" : "es");
	}
	if (list->unseen >= 0 && shmlog_processes_hidden()) {
		cli_report_label(output, "not seen");
		cli_output_string(output, "those that /proc does not show "
		                          "here: there may be more\n");
	}
}

static void add_processes(struct cli_object *object,
                          const struct process_list *list)
{
	struct cli_object *array;

	if (list->unseen < 0) {
		cli_object_null(object, "processes");
		cli_object_null(object, "processes_unseen");
		cli_object_null(object, "processes_hidden");
		return;
	}
	array = cli_object_array(object, "processes");
	for (size_t i = 0; i < list->count; i++) {
		const struct shmlog_process *process = &list->items[i];
		struct cli_object *item = cli_array_object(array);
		struct cli_user user = {.text = ""};

		cli_object_i64(item, "pid", process->pid);
		cli_object_u64(item, "uid", process->uid);
		cli_object_string(item, "user",
		                  cli_user_name(&user, process->uid));
		cli_object_string(item, "command", process->command);
		cli_object_string(item, "role", role_of(process));
		cli_object_bool(item, "mapped", process->mapped);
		cli_object_bool(item, "maps_writable", process->maps_writable);
		if (lock_of(process))
			cli_object_string(item, "lock", lock_of(process));
		else
			cli_object_null(item, "lock");
		add_lag(item, list, process);
	}
	cli_object_i64(object, "processes_unseen", list->unseen);
	cli_object_bool(object, "processes_hidden", shmlog_processes_hidden());
}

/* -------------------------------------------------------------- histogram */

static uint64_t largest_count(const struct cli_sizes_bucket *buckets,
                              size_t count)
{
	uint64_t largest = 0;

	for (size_t i = 0; i < count; i++) {
		if (buckets[i].count > largest)
			largest = buckets[i].count;
	}
	return largest;
}

static void print_histogram(struct cli_output *output,
                            const struct cli_sizes *sizes, unsigned style)
{
	struct cli_sizes_bucket buckets[CLI_SIZES_BUCKETS];
	size_t count = cli_sizes_buckets(sizes, buckets);
	uint64_t largest = largest_count(buckets, count);
	size_t columns = cli_terminal_columns(STDOUT_FILENO);
	enum cli_glyphs glyphs = cli_glyphs_of(STDOUT_FILENO);
	char label[64], line[CLI_PICTURE_BYTES(1024)];
	int digits = snprintf(label, sizeof(label), "%" PRIu64, largest);
	size_t width = columns - 22 - (size_t)digits - 1;

	cli_output_string(output, count == 0 ? "  no payloads to draw\n"
	                                     : "  payload bytes\n");
	for (size_t i = 0; i < count; i++) {
		const struct cli_sizes_bucket *bucket = &buckets[i];

		snprintf(label, sizeof(label), "%" PRIu64 " to %" PRIu64,
		         bucket->min, bucket->max);
		if (bucket->min == bucket->max)
			snprintf(label, sizeof(label), "%" PRIu64, bucket->min);
		(void)cli_draw_line(line, width,
		                    (double)bucket->count / (double)largest,
		                    glyphs);
		cli_output_format(output, "  %16s  %*" PRIu64, label, digits,
		                  bucket->count);
		if (*line != '\0')
			cli_output_format(output, "  %s%s%s",
			                  cli_style_begin(style), line,
			                  cli_style_end(style));
		cli_output_string(output, "\n");
	}
}

static void add_histogram(struct cli_object *object,
                          const struct cli_sizes *sizes)
{
	struct cli_sizes_bucket buckets[CLI_SIZES_BUCKETS];
	size_t count = cli_sizes_buckets(sizes, buckets);
	struct cli_object *array = cli_object_array(object, "histogram");

	for (size_t i = 0; i < count; i++) {
		struct cli_object *item = cli_array_object(array);

		cli_object_u64(item, "min", buckets[i].min);
		cli_object_u64(item, "max", buckets[i].max);
		cli_object_u64(item, "count", buckets[i].count);
	}
}

/* ----------------------------------------------------------------- output */

enum stat_format {
	FORMAT_NONE, /* with --expect alone */
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_PROMETHEUS,
};

struct stat_view {
	enum stat_format format;
	struct expectations expected;
	struct stat_found_logs found; /* where none is named */
	struct stat_collection collection;
	const char *to; /* the file for metrics; NULL: standard output */
	bool procs;
	bool histogram;
	struct cli_color color;
	bool behind_another; /* a block was printed before */
	struct cli_output output;
};

/* What is wrong with a log has a style, and so has the bar of its fill. */
static unsigned style_of(const struct cli_row *row, const void *about)
{
	const struct stat_facts *facts = about;
	bool is_sound = facts->status == CLI_OK;

	switch (row->offset) {
	case offsetof(struct stat_facts, state):
		return is_sound ? CLI_STYLE_PLAIN : CLI_STYLE_MATCH;
	case offsetof(struct stat_facts, tail):
		return strcmp(facts->tail, "clean") == 0 ? CLI_STYLE_PLAIN
		                                         : CLI_STYLE_MATCH;
	case offsetof(struct stat_facts, error):
	case offsetof(struct stat_facts, header_fault): return CLI_STYLE_MATCH;
	case offsetof(struct stat_facts, used_percent):
		return cli_style_of_fill(facts->used_percent);
	default: return CLI_STYLE_PLAIN;
	}
}

static void print_damage(struct cli_output *output,
                         const struct stat_facts *facts)
{
	uint64_t more = facts->report.damaged_ranges - facts->damage_count;
	struct cli_fault_text text;

	for (size_t i = 0; i < facts->damage_count; i++) {
		const struct shmlog_damage *damage = &facts->damage[i];

		cli_report_label(output, "damage");
		cli_output_string(output,
		                  cli_describe_fault(&text, &damage->fault));
		if (damage->end_cursor == facts->committed_bytes)
			cli_output_string(output, "; nothing good behind it\n");
		else
			cli_output_format(output,
			                  "; good again from cursor %" PRIu64
			                  "\n",
			                  damage->end_cursor);
	}
	if (more > 0) {
		cli_report_label(output, "damage");
		cli_output_format(output, "and %" PRIu64 " more ranges\n",
		                  more);
	}
}

static void add_damage(struct cli_object *object,
                       const struct stat_facts *facts)
{
	struct cli_object *array = cli_object_array(object, "damage");

	for (size_t i = 0; i < facts->damage_count; i++)
		cli_add_damage(array, &facts->damage[i]);
}

static void show_text(struct stat_view *view, const struct stat_facts *facts,
                      const struct process_list *processes)
{
	struct cli_output *output = &view->output;
	unsigned title = view->color.on ? CLI_STYLE_HEADER : CLI_STYLE_PLAIN;

	/* The message about a file that could not be read is enough. */
	if (facts->known == 0 && facts->status == CLI_SYSTEM)
		return;
	if (view->behind_another)
		cli_output_string(output, "\n");
	view->behind_another = true;
	cli_output_string(output, cli_style_begin(title));
	cli_report_escaped(output, facts->path);
	cli_output_string(output, cli_style_end(title));
	cli_output_string(output, "\n");
	if (view->color.on)
		cli_report_styled(output, stat_rows, ROW_COUNT, facts,
		                  facts->known, style_of);
	else
		cli_report_text(output, stat_rows, ROW_COUNT, facts,
		                facts->known);
	if (facts->known & KNOWS_FRAMES)
		print_damage(output, facts);
	if (view->histogram && facts->known & KNOWS_FRAMES)
		print_histogram(output, &facts->sizes,
		                view->color.on ? CLI_STYLE_NUMBER
		                               : CLI_STYLE_PLAIN);
	if (view->procs)
		print_processes(output, processes);
}

static struct cli_object *make_object(const struct stat_view *view,
                                      const struct stat_facts *facts,
                                      const struct process_list *processes)
{
	struct cli_object *object = cli_object_new();

	cli_report_json(object, stat_rows, ROW_COUNT, facts, facts->known);
	add_damage(object, facts);
	if (view->histogram && facts->known & KNOWS_FRAMES)
		add_histogram(object, &facts->sizes);
	else if (view->histogram)
		cli_object_null(object, "histogram");
	if (view->procs)
		add_processes(object, processes);
	return object;
}

static bool collect(struct stat_view *view, const struct stat_facts *facts,
                    const struct process_list *processes)
{
	struct stat_metrics metrics = {
		.path = facts->path,
		.status = facts->status,
		.has_length = (facts->known & KNOWS_LENGTH) != 0,
		.has_fill = (facts->known & KNOWS_HEADER) != 0,
		.has_frames = (facts->known & KNOWS_FRAMES) != 0,
		.capacity = facts->header.capacity,
		.used_bytes = facts->committed_bytes,
		.free_bytes = facts->free_bytes,
		.frames = facts->report.frames,
		.payload_bytes = facts->report.payload_bytes,
		.leftover_frames = facts->report.leftover_frames,
		.damaged_ranges = facts->report.damaged_ranges,
		.damaged_bytes = facts->report.damaged_bytes,
		.has_processes = view->procs && processes->unseen >= 0,
	};

	metrics.has_sizes = view->histogram && metrics.has_frames;
	if (metrics.has_sizes)
		metrics.bucket_count = cli_sizes_buckets(&facts->sizes,
		                                         metrics.buckets);
	for (size_t i = 0; i < processes->count; i++) {
		const struct shmlog_process *process = &processes->items[i];

		metrics.processes[process->appends  ? STAT_APPENDER
		                  : process->writes ? STAT_WRITER
		                                    : STAT_READER]++;
	}
	return stat_collect(&view->collection, &metrics);
}

/* What is shown of a log, and what is expected of it.  The exit status. */
static int show(struct stat_view *view, const struct stat_facts *facts,
                const struct process_list *processes)
{
	int status = (int)facts->status;

	if (view->expected.count > 0)
		status = judge_expectations(
			&view->expected, facts->path, status,
			make_object(view, facts, processes));
	if (view->format == FORMAT_JSON)
		cli_report_line(&view->output,
		                make_object(view, facts, processes));
	else if (view->format == FORMAT_TEXT)
		show_text(view, facts, processes);
	else if (view->format == FORMAT_PROMETHEUS &&
	         !collect(view, facts, processes))
		status = cli_fail(facts->path, "cannot be shown", -ENOMEM);
	return status;
}

static int stat_log(struct stat_view *view, const char *path)
{
	struct stat_facts facts = {.path = path};
	struct process_list processes = {.items = NULL};
	struct shmlog *log;

	gather(&facts, &log);
	/* Closed before the look into /proc, which needs descriptors of its
	 * own. */
	shmlog_close(log);
	if (view->procs)
		list_processes(&processes, path);
	int status = show(view, &facts, &processes);

	free(processes.items);
	cli_sizes_release(&facts.sizes);
	return status;
}

/* A file that is replaced must not be one of the logs. */
static int refuse_target(const struct stat_view *view)
{
	cli_message(view->to, "is the log itself; nothing was changed");
	return CLI_USAGE;
}

/* The first status that is not 0 counts: it belongs to the first message. */
static int stat_logs(struct stat_view *view, const struct cli_args *args)
{
	int result = cli_output_init(&view->output, STDOUT_FILENO);
	size_t named = cli_args_operand_count(args);
	int status = CLI_OK;

	if (result != 0)
		return cli_fail(NULL, "cannot start", result);
	if (named == 0)
		status = stat_find_logs(&view->found);
	for (size_t i = 0; i < view->found.count && view->to != NULL; i++) {
		if (cli_is_same_path(view->to, view->found.paths[i]))
			return cli_output_finish(&view->output,
			                         refuse_target(view));
	}
	cli_signals_catch();
	for (size_t i = 0;
	     i < named + view->found.count && cli_signal_caught() == 0; i++) {
		int one = stat_log(view, named > 0 ? cli_args_operand(args, i)
		                                   : view->found.paths[i]);

		if (status == CLI_OK)
			status = one;
		if (cli_output_flush(&view->output) != 0)
			break;
	}
	/* What is not whole takes the place of nothing. */
	if (view->to != NULL && cli_signal_caught() == 0) {
		int saved = stat_save_metrics(&view->collection, view->to);

		status = saved != CLI_OK ? saved : status;
	} else if (view->format == FORMAT_PROMETHEUS) {
		stat_print_metrics(&view->collection, &view->output);
	}
	status = cli_output_finish(&view->output, status);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}

static int watch_log(const struct cli_args *args, const char *format,
                     bool color)
{
	const char *text = cli_args_value(args, OPTION_WATCH);
	const char *until = cli_args_value(args, OPTION_UNTIL);
	struct cli_watch_options options = {.interval_ns = WATCH_DEFAULT_NS,
	                                    .style = CLI_WATCH_TEXT,
	                                    .color = color,
	                                    .timeout_ns = -1};
	struct cli_quoted quoted;
	int status;

	if (cli_option_duration("--watch", text, &options.interval_ns) !=
	            CLI_OK ||
	    cli_option_duration("--timeout",
	                        cli_args_value(args, OPTION_TIMEOUT),
	                        &options.timeout_ns) != CLI_OK)
		return CLI_USAGE;
	if (options.interval_ns < WATCH_MIN_NS)
		return cli_usage_error("--watch %s is too short: at least 1ms",
		                       cli_quote(&quoted, text));
	if (cli_args_operand_count(args) > 1)
		return cli_usage_error("--watch takes one LOG");
	if (cli_is_spooled(cli_args_operand(args, 0)))
		return cli_usage_error("--watch takes a log that grows, not "
		                       "standard input or an archive");
	if (cli_args_count(args, OPTION_PROCS) > 0 ||
	    cli_args_count(args, OPTION_HISTOGRAM) > 0)
		return cli_usage_error("--watch does not go with --procs and "
		                       "--histogram");
	/* Output that does not go to a terminal is JSON, unless -o says
	 * otherwise. */
	if (format ? strcmp(format, "json") == 0 : !isatty(STDOUT_FILENO))
		options.style = CLI_WATCH_JSON;
	else if (isatty(STDOUT_FILENO))
		options.style = CLI_WATCH_IN_PLACE;
	if (until != NULL) {
		status = cli_condition_init(&options.until, "--until", until,
		                            "shmlog stat --watch -o json LOG");
		if (status != CLI_OK)
			return status;
	}
	status = cli_watch(cli_args_operand(args, 0), &options);
	cli_condition_free(options.until);
	return status;
}

static int read_format(const struct cli_args *args, struct stat_view *view)
{
	const char *format = cli_args_value(args, OPTION_OUTPUT);
	struct cli_quoted quoted;

	if (format == NULL)
		view->format = view->expected.count > 0 ? FORMAT_NONE
		                                        : FORMAT_TEXT;
	else if (strcmp(format, "text") == 0)
		view->format = FORMAT_TEXT;
	else if (strcmp(format, "json") == 0)
		view->format = FORMAT_JSON;
	else if (strcmp(format, "prometheus") == 0)
		view->format = FORMAT_PROMETHEUS;
	else
		return cli_usage_error("unknown output format %s; known are "
		                       "text, json and prometheus",
		                       cli_quote(&quoted, format));
	return CLI_OK;
}

static int read_target(const struct cli_args *args, struct stat_view *view)
{
	view->to = cli_args_value(args, OPTION_TO);
	if (view->to == NULL)
		return CLI_OK;
	if (view->format != FORMAT_PROMETHEUS)
		return cli_usage_error("--to goes with -o prometheus");
	if (strcmp(view->to, "-") == 0)
		return cli_usage_error("--to - is no file that can be "
		                       "replaced; ./- is one of that name");
	for (size_t i = 0; i < cli_args_operand_count(args); i++) {
		if (!cli_is_same_path(view->to, cli_args_operand(args, i)))
			continue;
		return refuse_target(view);
	}
	return cli_check_replaced(view->to);
}

/* Which options go together. */
static int check_options(const struct cli_args *args,
                         const struct stat_view *view)
{
	bool watch = cli_args_count(args, OPTION_WATCH) > 0;

	if (!watch && (cli_args_count(args, OPTION_UNTIL) > 0 ||
	               cli_args_count(args, OPTION_TIMEOUT) > 0))
		return cli_usage_error("--until and --timeout go with --watch");
	if (watch &&
	    (view->expected.count > 0 || view->format == FORMAT_PROMETHEUS))
		return cli_usage_error("--watch does not go with --expect and "
		                       "-o prometheus");
	return CLI_OK;
}

static int list_logs(const struct cli_args *args, const struct stat_view *view)
{
	const struct cli_log_list_options options = {
		.json = view->format == FORMAT_JSON,
		.color = view->color.on,
	};
	static const int needing[] = {OPTION_PROCS, OPTION_HISTOGRAM,
	                              OPTION_WATCH, OPTION_EXPECT};

	for (size_t i = 0; i < sizeof(needing) / sizeof(needing[0]); i++) {
		if (cli_args_count(args, (size_t)needing[i]) > 0)
			return cli_usage_error("--%s takes a LOG",
			                       stat_options[needing[i]].name);
	}
	return cli_list_logs(&options, args);
}

static int list_or_show(const struct cli_args *args, struct stat_view *view)
{
	bool named = cli_args_operand_count(args) > 0;

	if (!named &&
	    (view->format != FORMAT_PROMETHEUS || view->expected.count > 0))
		return list_logs(args, view);
	int status = cli_check_outputs(args);

	if (status == CLI_OK)
		status = cli_progress_init(
			cli_args_value(args, OPTION_PROGRESS));
	if (status != CLI_OK)
		return status;
	cli_signals_guard_mappings();
	return cli_args_count(args, OPTION_WATCH) > 0
	               ? watch_log(args, cli_args_value(args, OPTION_OUTPUT),
	                           view->color.on)
	               : stat_logs(view, args);
}

static int stat_run(const struct cli_args *args)
{
	struct stat_view view = {
		.procs = cli_args_count(args, OPTION_PROCS) > 0,
		.histogram = cli_args_count(args, OPTION_HISTOGRAM) > 0,
	};

	int status = cli_color_init(
		&view.color, cli_args_value(args, OPTION_COLOR), STDOUT_FILENO);

	if (status == CLI_OK)
		status = read_expectations(&view.expected, args, OPTION_EXPECT);
	if (status == CLI_OK)
		status = read_format(args, &view);
	if (status == CLI_OK)
		status = read_target(args, &view);
	if (status == CLI_OK)
		status = check_options(args, &view);
	if (status == CLI_OK)
		status = list_or_show(args, &view);
	stat_collection_release(&view.collection);
	stat_found_logs_release(&view.found);
	release_expectations(&view.expected);
	return status;
}

const struct cli_command cmd_stat = {
	.name = "stat",
	.summary = "show what a log holds and in what state it is",
	.operands = "[LOG...]",
	.operand_kinds = CLI_OPERAND_KINDS(&cli_takes_log),
	.options = stat_options,
	.option_count = sizeof(stat_options) / sizeof(stat_options[0]),
	.max_operands = SIZE_MAX,
	.notes = "Without a LOG, the logs in /dev/shm are listed as by "
		 "'shmlog ls',\nor -o prometheus is about all of these.\n"
		 "A DURATION is a number with ns, us, ms, s, m or h behind "
		 "it.\n"
		 "--watch writes one line over and over on a terminal; "
		 "elsewhere it prints a\nline of JSON per interval, or of text "
		 "with -o text.",
	.run = stat_run,
};
