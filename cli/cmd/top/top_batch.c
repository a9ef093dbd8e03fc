/* Prints what top knows, interval by interval. */
#include "top_batch.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "json_write.h"
#include "rows.h"
#include "signals.h"
#include "stdout_buffer.h"
#include "top_text.h"
#include "users.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* How often the output is checked for a reader while nothing is printed. */
#define SLICE_NS 200000000

/* The name stands at the end, where its length does no harm. */
static const struct {
	enum top_column column;
	const char *title;
	int width;
} columns[] = {
	{TOP_USED, "USED", 6},       {TOP_CAPACITY, "CAPACITY", 8},
	{TOP_FILL, "FILL", 5},       {TOP_FRAMES, "FRAMES/S", 9},
	{TOP_BYTES, "BYTES/S", 8},   {TOP_LEFT, "FULL-IN", 8},
	{TOP_WRITERS, "WRITERS", 7}, {TOP_READERS, "READERS", 7},
	{TOP_LAG, "LAG", 7},
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static void print_table(const struct top_model *model,
                        struct cli_output *output)
{
	struct top_text text;

	for (size_t i = 0; i < COLUMN_COUNT; i++)
		cli_output_format(output, "%*s ", columns[i].width,
		                  columns[i].title);
	cli_output_string(output, "NAME\n");
	for (size_t k = 0; k < model->shown_count; k++) {
		const struct top_row *row = model->shown[k];

		for (size_t i = 0; i < COLUMN_COUNT; i++) {
			const char *cell = top_text_cell(&text, model, row,
			                                 columns[i].column);

			cli_output_format(output, "%*s ", columns[i].width,
			                  *cell != '\0' ? cell : "-");
		}
		cli_report_escaped(output, row->log.path);
		cli_output_string(output, "\n");
	}
}

/* A number with so many decimals, or null. */
static void add_number(struct cli_object *object, const char *key, bool known,
                       double value)
{
	if (known)
		cli_object_decimal(object, key, value, 3);
	else
		cli_object_null(object, key);
}

static void print_objects(const struct top_model *model, uint64_t number,
                          struct cli_output *output)
{
	const struct cli_log_table table = {.unseen = model->unseen,
	                                    .hidden = model->hidden};
	struct cli_user user = {.text = ""};

	for (size_t k = 0; k < model->shown_count; k++) {
		const struct top_row *row = model->shown[k];
		struct cli_object *object = cli_object_new();
		double left = top_row_seconds_left(row);

		cli_object_u64(object, "interval", number);
		cli_log_add(object, &table, &row->log, &user);
		cli_object_bool(object, "gone", row->gone);
		add_number(object, "frames_per_second", row->has_frames,
		           row->frames_per_second);
		cli_object_bool(object, "frames_estimated", row->estimated);
		add_number(object, "bytes_per_second", row->has_rates,
		           row->bytes_per_second);
		add_number(object, "seconds_to_full", left >= 0, left);
		cli_report_line(output, object);
	}
}

/* Sleeps until a time, a signal, or until nobody reads the output. */
static void sleep_until(struct cli_output *output, int64_t then)
{
	int64_t left;

	while ((left = then - cli_now_ns()) > 0 && cli_signal_caught() == 0 &&
	       output->error == 0) {
		cli_signals_sleep(left < SLICE_NS ? left : SLICE_NS);
		if (cli_output_is_closed(output))
			output->error = EPIPE;
	}
}

static int print_intervals(struct top_batch *batch, struct cli_output *output)
{
	int64_t next = cli_now_ns();

	batch->sampler.reports = true;
	if (!top_sample(&batch->sampler, &batch->model))
		return cli_fail(NULL, "cannot list", -ENOMEM);
	/* A table without logs would look as if there were none. */
	if (batch->sampler.status != CLI_OK && batch->model.shown_count == 0)
		return batch->sampler.status;
	for (uint64_t i = 0; i < batch->count; i++) {
		next = cli_now_ns() - next > batch->interval_ns ? cli_now_ns()
		                                                : next;
		next += batch->interval_ns;
		sleep_until(output, next);
		if (cli_signal_caught() != 0 || output->error != 0)
			break;
		if (!top_sample(&batch->sampler, &batch->model))
			return cli_fail(NULL, "cannot list", -ENOMEM);
		if (batch->json)
			print_objects(&batch->model, i, output);
		else
			print_table(&batch->model, output);
		if (!batch->json && i + 1 < batch->count)
			cli_output_string(output, "\n");
		if (cli_output_flush(output) != 0)
			break;
	}
	return batch->sampler.status;
}

int top_batch_run(struct top_batch *batch)
{
	struct cli_output output;
	int status = cli_output_init(&output, STDOUT_FILENO);

	if (status != 0)
		return cli_fail(NULL, "cannot start", status);
	status = print_intervals(batch, &output);
	status = cli_output_finish(&output, status);
	top_model_release(&batch->model);
	if (cli_signal_caught() != 0)
		cli_die_by_signal(cli_signal_caught());
	return status;
}
