/* Measures what writing, reading and waking cost on this machine. */
#include "bench_log.h"
#include "command.h"
#include "failure.h"
#include "json_write.h"
#include "machine.h"
#include "measure.h"
#include "message.h"
#include "numbers.h"
#include "options.h"
#include "rows.h"
#include "shared_options.h"
#include "signals.h"
#include "spelling.h"

#include <errno.h>
#include <inttypes.h>
#include <shmlog.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_OUTPUT,
	OPTION_COUNT,
	OPTION_ROUNDS,
	OPTION_SIZE,
	OPTION_DIR,
};

static void offer_names(struct cli_completion *completion);
static const struct cli_argument_kind name_values = {.offer = offer_names};

static const struct cli_option bench_options[] = {
	CLI_REPORT_FORMAT_OPTION(OPTION_OUTPUT),
	[OPTION_COUNT] = {.letter = 'n',
                          .name = "count",
                          .value = "N",
                          .kind = &cli_takes_number,
                          .help = "events in a round; 100000, or fewer that "
                                  "fit 32M"},
	[OPTION_ROUNDS] = {.name = "rounds",
                           .value = "N",
                           .kind = &cli_takes_number,
                           .help = "rounds of each measurement; 5 if not "
                                   "given"},
	[OPTION_SIZE] = {.name = "size",
                         .value = "SIZE",
                         .kind = &cli_takes_size,
                         .repeatable = true,
                         .help = "payload size; 16, 64, 256 and 1024 if not "
                                 "given"},
	[OPTION_DIR] = {.name = "dir",
                        .value = "DIR",
                        .kind = &cli_takes_folder,
                        .help = "where to measure; /dev/shm if there is one"},
};

/* Payload sizes and events of the Node package's own benchmark. */
static const size_t default_sizes[] = {16, 64, 256, 1024};
#define DEFAULT_EVENTS UINT64_C(100000)
/* The default unless the log would be larger than this: a container may have no
 * more than twice as much memory. */
#define DEFAULT_LOG_BYTES (UINT64_C(32) << 20)
#define DEFAULT_ROUNDS 5u
#define MAX_ROUNDS 1000u
/* The most events of a round of `wake`, whatever --count says: each takes a
 * fraction of a millisecond, most of it asleep. */
#define MAX_WAKE_EVENTS UINT64_C(1000)

struct bench_kind {
	const char *name;
	int (*measure)(const struct cli_load *load, uint64_t *ns_out);
	size_t batch_frames;
};

/* The package commits every event, and reads up to 10,000 at a time. */
static const struct bench_kind kinds[] = {
	{"write", cli_measure_write, 1},
	{"write-batch", cli_measure_write, 64},
	{"read", cli_measure_read, 1},
	{"read-batch", cli_measure_read, 10000},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))
#define WAKE_NAME "wake"

struct bench {
	const char *folder;
	bool json;
	bool progress;             /* stderr is a terminal */
	bool includes[KIND_COUNT]; /* what to measure */
	bool includes_wake;        /* whether to measure it, too */
	uint64_t events;           /* in a round; 0: the default */
	uint64_t rounds;           /* that count */
	size_t *sizes;             /* of payloads */
	size_t size_count;
	uint64_t *times; /* of the rounds, or of all wake-ups */
	struct cli_output output;
	struct cli_object *object;  /* the document, with json */
	struct cli_object *entries; /* in it */
};

/* The times of one measurement. */
struct bench_result {
	const struct bench_kind *kind;
	struct cli_load load;
	uint64_t min_ns, median_ns, max_ns;
};

/* ----------------------------------------------------------------- options */

static int read_names(const struct cli_args *args, struct bench *bench)
{
	bool all = cli_args_operand_count(args) == 0;

	for (size_t k = 0; k < KIND_COUNT; k++)
		bench->includes[k] = all;
	bench->includes_wake = all;
	for (size_t i = 0; i < cli_args_operand_count(args); i++) {
		const char *name = cli_args_operand(args, i);
		struct cli_spelling nearest;
		struct cli_quoted quoted;
		bool known = strcmp(name, WAKE_NAME) == 0;

		bench->includes_wake |= known;
		cli_spelling_init(&nearest, name, strlen(name));
		cli_spelling_offer(&nearest, WAKE_NAME);
		for (size_t k = 0; k < KIND_COUNT; k++) {
			bool same = strcmp(name, kinds[k].name) == 0;

			bench->includes[k] |= same;
			known |= same;
			cli_spelling_offer(&nearest, kinds[k].name);
		}
		if (!known)
			return cli_usage_error(
				"there is no measurement %s%s%s%s",
				cli_quote(&quoted, name),
				nearest.best ? "; did you mean '" : "",
				nearest.best ? nearest.best : "",
				nearest.best ? "'?" : "");
	}
	return CLI_OK;
}

static int read_number(const struct cli_args *args, size_t option,
                       const char *what, uint64_t most, uint64_t *value)
{
	const char *text = cli_args_value(args, option);
	struct cli_quoted quoted;

	if (!text)
		return CLI_OK;
	if (!cli_parse_u64(text, value) || *value == 0 || *value > most)
		return cli_usage_error(
			"%s %s is not a number from 1 to %" PRIu64, what,
			cli_quote(&quoted, text), most);
	return CLI_OK;
}

static int read_sizes(const struct cli_args *args, struct bench *bench)
{
	size_t given = cli_args_count(args, OPTION_SIZE);
	size_t standard = sizeof(default_sizes) / sizeof(default_sizes[0]);

	bench->size_count = given > 0 ? given : standard;
	bench->sizes = calloc(bench->size_count, sizeof(*bench->sizes));
	if (!bench->sizes)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	if (given == 0)
		memcpy(bench->sizes, default_sizes, sizeof(default_sizes));
	for (size_t i = 0; i < given; i++) {
		const char *text = cli_args_nth(args, OPTION_SIZE, i);
		struct cli_quoted quoted;
		uint64_t bytes;

		if (!cli_parse_size(text, &bytes) ||
		    bytes > SHMLOG_PAYLOAD_MAX_BYTES)
			return cli_usage_error(
				"payload size %s is not a SIZE from 0 to %u",
				cli_quote(&quoted, text),
				SHMLOG_PAYLOAD_MAX_BYTES);
		bench->sizes[i] = (size_t)bytes;
	}
	return CLI_OK;
}

static int read_options(const struct cli_args *args, struct bench *bench)
{
	int status = cli_report_format(args, OPTION_OUTPUT, &bench->json);

	if (status == CLI_OK)
		status = read_names(args, bench);
	if (status == CLI_OK)
		status = read_number(args, OPTION_COUNT, "count", INT64_MAX,
		                     &bench->events);
	if (status == CLI_OK)
		status = read_number(args, OPTION_ROUNDS, "rounds", MAX_ROUNDS,
		                     &bench->rounds);
	if (status == CLI_OK)
		status = read_sizes(args, bench);
	bench->folder = cli_args_value(args, OPTION_DIR);
	if (!bench->folder)
		bench->folder = cli_bench_log_folder();
	if (status == CLI_OK && !bench->folder) {
		cli_message(NULL, "cannot measure: neither /dev/shm nor TMPDIR "
		                  "nor /tmp is a folder that may be written "
		                  "to; --dir names another one");
		status = CLI_SYSTEM;
	}
	return status;
}

/* -------------------------------------------------------------------- room */

static uint64_t events_of(const struct bench *bench, size_t payload_bytes)
{
	uint64_t frame_bytes = payload_bytes + SHMLOG_FRAME_OVERHEAD_BYTES;
	uint64_t most = DEFAULT_LOG_BYTES / frame_bytes;

	if (bench->events > 0)
		return bench->events;
	return most < DEFAULT_EVENTS ? most : DEFAULT_EVENTS;
}

static uint64_t wake_events_of(const struct bench *bench)
{
	return bench->events > 0 && bench->events < MAX_WAKE_EVENTS
	               ? bench->events
	               : MAX_WAKE_EVENTS;
}

static bool includes_any(const struct bench *bench)
{
	for (size_t k = 0; k < KIND_COUNT; k++) {
		if (bench->includes[k])
			return true;
	}
	return false;
}

/* Whether the largest log fits; there is one at a time. */
static int check_room(const struct bench *bench)
{
	size_t sizes = includes_any(bench) ? bench->size_count : 0;
	uint64_t most = cli_load_capacity(CLI_WAKE_PAYLOAD_BYTES,
	                                  wake_events_of(bench));

	for (size_t i = 0; i < sizes; i++) {
		size_t payload_bytes = bench->sizes[i];
		uint64_t events = events_of(bench, payload_bytes);
		uint64_t capacity = cli_load_capacity(payload_bytes, events);

		if (capacity == 0)
			return cli_usage_error("%" PRIu64 " events of %zu "
			                       "bytes fit in no file",
			                       events, payload_bytes);
		if (capacity > most)
			most = capacity;
	}
	return cli_bench_log_check_room(bench->folder, most);
}

/* ----------------------------------------------------------------- results */

static double per_event(const struct bench_result *result, uint64_t ns)
{
	return (double)ns / (double)result->load.events;
}

static double per_second(const struct bench_result *result, uint64_t count)
{
	return (double)count * 1e9 / (double)result->median_ns;
}

static uint64_t payload_total(const struct bench_result *result)
{
	return result->load.events * result->load.payload_bytes;
}

/* As the package counts them: of payload, 2^20 bytes each. */
static double megabytes(const struct bench_result *result)
{
	return per_second(result, payload_total(result)) / 1048576;
}

static const char *state_of(const struct bench_result *result)
{
	return result->load.touched ? "touched" : "fresh";
}

static void print_result(struct cli_output *output,
                         const struct bench_result *result)
{
	double ns = per_event(result, result->median_ns);

	cli_output_format(output,
	                  "%-11s %-7s %5zu %10.0f %8.1f %8.4f %8.1f  "
	                  "%.1f..%.1f\n",
	                  result->kind->name, state_of(result),
	                  result->load.payload_bytes,
	                  per_second(result, result->load.events),
	                  megabytes(result), ns / 1000, ns,
	                  per_event(result, result->min_ns),
	                  per_event(result, result->max_ns));
}

static void add_result(struct cli_object *entry,
                       const struct bench_result *result)
{
	double ns = per_event(result, result->median_ns);

	cli_object_string(entry, "name", result->kind->name);
	cli_object_string(entry, "log", state_of(result));
	cli_object_u64(entry, "payload_bytes", result->load.payload_bytes);
	cli_object_u64(entry, "batch_frames", result->load.batch_frames);
	cli_object_u64(entry, "events", result->load.events);
	cli_object_u64(entry, "duration_ns", result->median_ns);
	cli_object_u64(entry, "duration_min_ns", result->min_ns);
	cli_object_u64(entry, "duration_max_ns", result->max_ns);
	cli_object_u64(entry, "events_per_second",
	               (uint64_t)per_second(result, result->load.events));
	cli_object_u64(entry, "bytes_per_second",
	               (uint64_t)per_second(result, payload_total(result)));
	cli_object_decimal(entry, "mb_per_second", megabytes(result), 2);
	cli_object_decimal(entry, "us_per_event", ns / 1000, 6);
	cli_object_decimal(entry, "ns_per_event", ns, 3);
	cli_object_decimal(entry, "ns_per_event_min",
	                   per_event(result, result->min_ns), 3);
	cli_object_decimal(entry, "ns_per_event_max",
	                   per_event(result, result->max_ns), 3);
}

/* Times in ascending order. */
struct latencies {
	const uint64_t *ns;
	uint64_t count;
};

/* The smallest time that `percent` of the events do not exceed. */
static uint64_t percentile(const struct latencies *latencies, uint64_t percent)
{
	uint64_t rank = (latencies->count * percent + 99) / 100;

	return latencies->ns[rank > 0 ? rank - 1 : 0];
}

static const struct {
	const char *ns_key, *us_key;
	uint64_t percent;
} wake_members[] = {
	{"min_ns", "min_us", 0},
	{"p50_ns", "p50_us", 50},
	{"p99_ns", "p99_us", 99},
	{"max_ns", "max_us", 100},
};

#define WAKE_MEMBERS (sizeof(wake_members) / sizeof(wake_members[0]))

static void print_wake(struct cli_output *output,
                       const struct latencies *latencies)
{
	cli_output_format(output, "%-11s %5u %8" PRIu64, WAKE_NAME,
	                  CLI_WAKE_PAYLOAD_BYTES, latencies->count);
	for (size_t i = 0; i < WAKE_MEMBERS; i++) {
		uint64_t ns = percentile(latencies, wake_members[i].percent);

		cli_output_format(output, " %9.2f", (double)ns / 1000);
	}
	cli_output_string(output, "\n");
}

static void add_wake(struct cli_object *entry,
                     const struct latencies *latencies)
{
	cli_object_u64(entry, "payload_bytes", CLI_WAKE_PAYLOAD_BYTES);
	cli_object_u64(entry, "events", latencies->count);
	for (size_t i = 0; i < WAKE_MEMBERS; i++) {
		uint64_t ns = percentile(latencies, wake_members[i].percent);

		cli_object_u64(entry, wake_members[i].ns_key, ns);
		cli_object_decimal(entry, wake_members[i].us_key,
		                   (double)ns / 1000, 3);
	}
}

/* -------------------------------------------------------------- what it is */

static void print_machine(struct bench *bench,
                          const struct cli_machine *machine,
                          const char *file_system)
{
	struct cli_output *output = &bench->output;

	cli_output_format(output, "shmlog %s on ", shmlog_version());
	cli_report_escaped(output, machine->cpu);
	cli_output_format(output, ", %" PRIu64 " core%s, ", machine->cores,
	                  machine->cores == 1 ? "" : "s");
	cli_report_escaped(output, machine->architecture);
	cli_output_string(output, ", ");
	cli_report_escaped(output, machine->kernel);
	cli_output_string(output, "\n");
	cli_report_escaped(output, file_system);
	cli_output_string(output, " in ");
	cli_report_escaped(output, bench->folder);
	cli_output_format(output,
	                  ", %" PRIu64 " round%s each: the median, and the "
	                  "fastest and slowest round\n",
	                  bench->rounds, bench->rounds == 1 ? "" : "s");
}

static void add_machine(struct bench *bench, const struct cli_machine *machine,
                        const char *file_system)
{
	struct cli_object *child;

	cli_object_string(bench->object, "version", shmlog_version());
	child = cli_object_child(bench->object, "machine");
	cli_object_string(child, "cpu", machine->cpu);
	cli_object_u64(child, "cores", machine->cores);
	cli_object_string(child, "architecture", machine->architecture);
	cli_object_string(child, "kernel", machine->kernel);
	cli_object_string(bench->object, "dir", bench->folder);
	cli_object_string(bench->object, "file_system", file_system);
	cli_object_u64(bench->object, "rounds", bench->rounds);
	bench->entries = cli_object_array(bench->object, "measurements");
}

static void begin_report(struct bench *bench)
{
	struct cli_file_system file_system;
	struct cli_machine machine;

	cli_machine_describe(&machine);
	cli_describe_file_system(&file_system, bench->folder);
	if (bench->json) {
		bench->object = cli_object_new();
		add_machine(bench, &machine, file_system.type);
	} else {
		print_machine(bench, &machine, file_system.type);
	}
}

/* ------------------------------------------------------------- the measures */

/* Shows what is being measured.  The cursor stays at the start of the line, so
 * that the next output overwrites it. */
static void show_progress(const struct bench *bench, const char *name,
                          size_t payload_bytes, uint64_t round)
{
	if (bench->progress)
		fprintf(stderr,
		        "\x1b[K%s, %zu bytes: round %" PRIu64 " of %" PRIu64
		        "\r",
		        name, payload_bytes, round, bench->rounds);
}

static void clear_progress(const struct bench *bench)
{
	if (bench->progress)
		fputs("\x1b[K", stderr);
}

/* Seconds may pass without output, so a reader that has gone is detected
 * without a write. */
static void end_if_unread(const struct bench *bench)
{
	if (cli_output_is_closed(&bench->output))
		cli_die_by_signal(SIGPIPE);
}

static int compare_times(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void sort_times(struct bench *bench, uint64_t count)
{
	qsort(bench->times, (size_t)count, sizeof(*bench->times),
	      compare_times);
}

/* Round 0 warms up: it is measured like the others and does not count. */
static int run_rounds(struct bench *bench, struct bench_result *result)
{
	uint64_t rounds = bench->rounds;
	const uint64_t *times = bench->times;

	for (uint64_t round = 0; round <= rounds; round++) {
		uint64_t ns = 0;
		int status;

		end_if_unread(bench);
		show_progress(bench, result->kind->name,
		              result->load.payload_bytes, round);
		status = result->kind->measure(&result->load, &ns);
		if (status != CLI_OK)
			return status;
		/* A clock may be too coarse for a few events. */
		bench->times[round > 0 ? round - 1 : 0] = ns > 0 ? ns : 1;
	}
	sort_times(bench, rounds);
	result->min_ns = times[0];
	result->max_ns = times[rounds - 1];
	result->median_ns = (times[(rounds - 1) / 2] + times[rounds / 2]) / 2;
	return CLI_OK;
}

static int measure_one(struct bench *bench, const struct bench_kind *kind,
                       size_t payload_bytes, bool touched)
{
	struct bench_result result = {
		.kind = kind,
		.load = {.folder = bench->folder,
	                 .payload_bytes = payload_bytes,
	                 .events = events_of(bench, payload_bytes),
	                 .batch_frames = kind->batch_frames,
	                 .touched = touched},
	};
	int status = run_rounds(bench, &result);

	if (status != CLI_OK)
		return status;
	clear_progress(bench);
	if (bench->json)
		add_result(cli_array_object(bench->entries), &result);
	else
		print_result(&bench->output, &result);
	return cli_output_flush(&bench->output) == 0 ? CLI_OK : CLI_SYSTEM;
}

static int measure_kind(struct bench *bench, const struct bench_kind *kind)
{
	int status = CLI_OK;

	for (int touched = 0; touched <= 1; touched++) {
		for (size_t i = 0; i < bench->size_count && status == CLI_OK;
		     i++)
			status = measure_one(bench, kind, bench->sizes[i],
			                     touched);
	}
	return status;
}

static int measure_kinds(struct bench *bench)
{
	int status = CLI_OK;

	if (!bench->json && includes_any(bench))
		cli_output_string(&bench->output,
		                  "\nmeasurement log     bytes   events/s"
		                  "     MB/s us/event ns/event  min..max\n");
	for (size_t k = 0; k < KIND_COUNT && status == CLI_OK; k++) {
		if (bench->includes[k])
			status = measure_kind(bench, &kinds[k]);
	}
	return status;
}

static int measure_wake(struct bench *bench)
{
	uint64_t events = wake_events_of(bench);
	struct latencies latencies = {
		.ns = bench->times,
		.count = events * bench->rounds,
	};
	int status = CLI_OK;

	for (uint64_t round = 0; round <= bench->rounds; round++) {
		uint64_t place = round > 0 ? round - 1 : 0;

		end_if_unread(bench);
		show_progress(bench, WAKE_NAME, CLI_WAKE_PAYLOAD_BYTES, round);
		status = cli_measure_wake(bench->folder, events,
		                          bench->times + place * events);
		if (status != CLI_OK)
			return status;
	}
	sort_times(bench, latencies.count);
	clear_progress(bench);
	if (bench->json) {
		add_wake(cli_object_child(bench->object, WAKE_NAME),
		         &latencies);
		return CLI_OK;
	}
	cli_output_string(&bench->output,
	                  "\nmeasurement bytes   events    min us    p50 us"
	                  "    p99 us    max us\n");
	print_wake(&bench->output, &latencies);
	return CLI_OK;
}

/* --------------------------------------------------------------------- run */

static int measure_all(struct bench *bench)
{
	int status;

	begin_report(bench);
	status = measure_kinds(bench);
	if (status == CLI_OK && bench->includes_wake)
		status = measure_wake(bench);
	else if (bench->json)
		cli_object_null(bench->object, WAKE_NAME);
	/* Half a document would look like a whole one. */
	if (bench->json && status == CLI_OK)
		cli_report_line(&bench->output, bench->object);
	else
		cli_object_free(bench->object);
	return status;
}

static int run_bench(struct bench *bench)
{
	uint64_t times = bench->rounds * wake_events_of(bench);
	int status = check_room(bench);
	int result;

	if (status != CLI_OK)
		return status;
	bench->times = calloc((size_t)times, sizeof(*bench->times));
	if (!bench->times)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	result = cli_output_init(&bench->output, STDOUT_FILENO);
	if (result != 0)
		return cli_fail(NULL, "cannot start", result);
	bench->progress = isatty(STDERR_FILENO);
	cli_signals_guard_mappings();
	status = measure_all(bench);
	return cli_output_finish(&bench->output, status);
}

static int bench_run(const struct cli_args *args)
{
	struct bench bench = {.rounds = DEFAULT_ROUNDS};
	int status = read_options(args, &bench);

	if (status == CLI_OK)
		status = run_bench(&bench);
	free(bench.times);
	free(bench.sizes);
	return status;
}

static void offer_names(struct cli_completion *completion)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		cli_offer(completion, kinds[i].name, NULL);
	cli_offer(completion, WAKE_NAME, NULL);
}

const struct cli_command cmd_bench = {
	.name = "bench",
	.summary = "measure what logs cost on this machine",
	.operands = "[NAME...]",
	.operand_kinds = CLI_OPERAND_KINDS(&name_values),
	.options = bench_options,
	.option_count = sizeof(bench_options) / sizeof(bench_options[0]),
	.min_operands = 0,
	.max_operands = SIZE_MAX,
	.notes =
		"A NAME is write, write-batch, read, read-batch or wake; all "
		"of them if none is\ngiven.  A fresh log allocates pages "
		"during "
		"the run, a touched one\nhas them all before.  Nothing is left "
		"behind.",
	.run = bench_run,
};
