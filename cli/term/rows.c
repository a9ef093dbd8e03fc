/* Makes text and JSON from one table of rows. */
#include "rows.h"

#include "escape.h"
#include "json_write.h"
#include "message.h"
#include "style.h"
#include "terminal.h"
#include "utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LABEL_WIDTH 16
#define BAR_WIDTH 30u
#define DECIMALS 2

const char *cli_scale_bytes(struct cli_scaled_text *buffer, double bytes)
{
	static const char letters[] = "KMGTPE";
	size_t power = 0;

	/* A number that would be rounded to 1024 has the next unit. */
	if (bytes < 1023.5) {
		snprintf(buffer->text, sizeof(buffer->text), "%.0f B", bytes);
		return buffer->text;
	}
	for (bytes /= 1024; bytes >= 1023.95 && letters[power + 1]; power++)
		bytes /= 1024;
	snprintf(buffer->text, sizeof(buffer->text), "%.1f %ciB", bytes,
	         letters[power]);
	return buffer->text;
}

double cli_used_percent(uint64_t used, uint64_t room)
{
	/* Beyond 2^53 a share below the whole can round to it. */
	double share = used >= room ? 1 : (double)used / (double)room;
	double hundredths = (double)(uint64_t)(share * 10000);

	if (used < room && hundredths >= 10000)
		hundredths = 9999;
	return hundredths / 100;
}

void cli_report_label(struct cli_output *output, const char *label)
{
	cli_output_format(output, "  %-*s  ", LABEL_WIDTH, label);
}

void cli_report_name(struct cli_output *output, const char *name)
{
	if (isatty(output->fd))
		cli_report_escaped(output, name);
	else
		cli_output_string(output, name);
}

void cli_report_escaped(struct cli_output *output, const char *text)
{
	unsigned char escaped[4 * CLI_ESCAPE_TERMINAL_MAX];
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text);

	while (left > 0) {
		unsigned code_point;
		size_t step = cli_utf8_decode(at, left, &code_point);

		if (step == 0)
			step = 1;

		size_t used = cli_escape_terminal(escaped, at, step);

		cli_output_bytes(output, escaped, used);
		at += step;
		left -= step;
	}
}

void cli_report_line(struct cli_output *output, struct cli_object *object)
{
	char *line = cli_object_print(object);

	if (line) {
		cli_output_string(output, line);
		cli_output_string(output, "\n");
	} else if (output->error == 0) {
		output->error = ENOMEM;
	}
	free(line);
	cli_object_free(object);
}

/* ------------------------------------------------------------------ values */

static const char *text_at(const void *value)
{
	return *(const char *const *)value;
}

static uint64_t count_at(const void *value)
{
	return *(const uint64_t *)value;
}

static double decimal_at(const void *value)
{
	return *(const double *)value;
}

static bool bool_at(const void *value)
{
	return *(const bool *)value;
}

static void print_bytes(struct cli_output *output, uint64_t bytes)
{
	struct cli_scaled_text scaled;

	cli_output_format(output, "%" PRIu64 " byte%s", bytes,
	                  bytes == 1 ? "" : "s");
	if (bytes >= 1024)
		cli_output_format(output, " (%s)",
		                  cli_scale_bytes(&scaled, (double)bytes));
}

static void print_percent(struct cli_output *output, double percent)
{
	char bar[BAR_WIDTH + 1];

	cli_draw_bar(bar, BAR_WIDTH, percent / 100);
	cli_output_format(output, "[%s] %.2f %%", bar, percent);
}

static void print_value(struct cli_output *output, enum cli_row_kind kind,
                        const void *value)
{
	switch (kind) {
	case CLI_ROW_TEXT: cli_report_escaped(output, text_at(value)); break;
	case CLI_ROW_COUNT: cli_output_u64(output, count_at(value)); break;
	case CLI_ROW_BYTES: print_bytes(output, count_at(value)); break;
	case CLI_ROW_DECIMAL:
		cli_output_format(output, "%.*f", DECIMALS, decimal_at(value));
		break;
	case CLI_ROW_PERCENT: print_percent(output, decimal_at(value)); break;
	case CLI_ROW_BOOL:
		cli_output_string(output, bool_at(value) ? "yes" : "no");
		break;
	}
}

static void add_value(struct cli_object *object, const struct cli_row *row,
                      const void *value)
{
	switch (row->kind) {
	case CLI_ROW_TEXT:
		if (text_at(value))
			cli_object_string(object, row->key, text_at(value));
		else
			cli_object_null(object, row->key);
		break;
	case CLI_ROW_COUNT:
	case CLI_ROW_BYTES:
		cli_object_u64(object, row->key, count_at(value));
		break;
	case CLI_ROW_DECIMAL:
	case CLI_ROW_PERCENT:
		cli_object_decimal(object, row->key, decimal_at(value),
		                   DECIMALS);
		break;
	case CLI_ROW_BOOL:
		cli_object_bool(object, row->key, bool_at(value));
		break;
	}
}

/* -------------------------------------------------------------------- rows */

static const void *value_of(const struct cli_row *row, const void *facts)
{
	return (const char *)facts + row->offset;
}

static bool is_known(const struct cli_row *row, unsigned known)
{
	return (row->needs & ~known) == 0;
}

static unsigned plain(const struct cli_row *row, const void *facts)
{
	(void)row;
	(void)facts;
	return CLI_STYLE_PLAIN;
}

void cli_report_text(struct cli_output *output, const struct cli_row *rows,
                     size_t count, const void *facts, unsigned known)
{
	cli_report_styled(output, rows, count, facts, known, plain);
}

void cli_report_styled(struct cli_output *output, const struct cli_row *rows,
                       size_t count, const void *facts, unsigned known,
                       unsigned (*style_of)(const struct cli_row *row,
                                            const void *facts))
{
	for (size_t i = 0; i < count; i++) {
		const struct cli_row *row = &rows[i];
		const void *value = value_of(row, facts);

		if (!row->label || !is_known(row, known) ||
		    (row->kind == CLI_ROW_TEXT && !text_at(value)))
			continue;
		unsigned style = style_of(row, facts);

		cli_report_label(output, row->label);
		cli_output_string(output, cli_style_begin(style));
		print_value(output, row->kind, value);
		cli_output_string(output, cli_style_end(style));
		cli_output_string(output, "\n");
	}
}

void cli_report_json(struct cli_object *object, const struct cli_row *rows,
                     size_t count, const void *facts, unsigned known)
{
	struct cli_object *group = object;
	const char *group_name = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct cli_row *row = &rows[i];

		if (!row->key)
			continue;
		if (!row->group)
			group = object;
		else if (!group_name || strcmp(row->group, group_name) != 0)
			group = cli_object_child(object, row->group);
		group_name = row->group;
		if (is_known(row, known))
			add_value(group, row, value_of(row, facts));
		else
			cli_object_null(group, row->key);
	}
}

void cli_report_quoted(struct cli_output *output, const char *text)
{
	size_t length = strlen(text);
	unsigned char *room = cli_output_reserve(
		output, length * CLI_ESCAPE_JSON_MAX + 2);
	unsigned char *at = room;

	if (room == NULL)
		return;
	*at++ = '"';
	at += cli_escape_json(at, (const unsigned char *)text, length);
	*at++ = '"';
	cli_output_advance(output, (size_t)(at - room));
}
