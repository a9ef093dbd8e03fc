/* Prints logs and their holders as a table, or as lines of JSON. */
#include "log_table.h"

#include "color.h"
#include "command.h"
#include "escape.h"
#include "failure.h"
#include "json_write.h"
#include "rows.h"
#include "stdout_buffer.h"
#include "users.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *state_of(const struct cli_listed_log *entry)
{
	return entry->damaged ? "damaged" : "sound";
}

static uint64_t used_of(const struct cli_listed_log *entry)
{
	return entry->header.size - entry->header.data_offset;
}

double cli_log_used_percent(const struct shmlog_header *header)
{
	return cli_used_percent(header->size - header->data_offset,
	                        header->capacity - header->data_offset);
}

static void add_holders(struct cli_object *object,
                        const struct cli_log_table *table,
                        const struct cli_listed_log *entry)
{
	if (table->unseen < 0) {
		cli_object_null(object, "writers");
		cli_object_null(object, "readers");
		cli_object_null(object, "processes_unseen");
		cli_object_null(object, "processes_hidden");
	} else {
		cli_object_u64(object, "writers", entry->writers);
		cli_object_u64(object, "readers", entry->readers);
		cli_object_i64(object, "processes_unseen", table->unseen);
		cli_object_bool(object, "processes_hidden", table->hidden);
	}
	if (entry->has_lag)
		cli_object_u64(object, "lag", entry->lag);
	else
		cli_object_null(object, "lag");
}

void cli_log_add(struct cli_object *object, const struct cli_log_table *table,
                 const struct cli_listed_log *entry, struct cli_user *user)
{
	const struct shmlog_header *header = &entry->header;

	cli_object_string(object, "path", entry->path);
	cli_object_string(object, "state", state_of(entry));
	cli_object_bool(object, "deleted", entry->deleted);
	if (entry->former_path)
		cli_object_string(object, "former_path", entry->former_path);
	else
		cli_object_null(object, "former_path");
	cli_object_u64(object, "data_offset", header->data_offset);
	cli_object_u64(object, "size", header->size);
	cli_object_u64(object, "capacity", header->capacity);
	cli_object_u64(object, "committed_bytes", used_of(entry));
	cli_object_u64(object, "free_bytes", header->capacity - header->size);
	cli_object_decimal(object, "used_percent",
	                   cli_log_used_percent(&entry->header), 2);
	add_holders(object, table, entry);
	cli_object_string(object, "owner", cli_user_name(user, entry->uid));
	cli_object_u64(object, "uid", entry->uid);
}

static void print_json(struct cli_output *output,
                       const struct cli_log_table *table,
                       const struct cli_listed_log *entry,
                       struct cli_user *user)
{
	struct cli_object *object = cli_object_new();

	cli_log_add(object, table, entry, user);
	cli_report_line(output, object);
}

/* A cell of the table, and the columns of the table. */
enum column {
	NAME,
	USED,
	CAPACITY,
	FILL,
	WRITERS,
	READERS,
	OWNER,
	STATE,
	COLUMNS
};

static const char *const titles[COLUMNS] = {"NAME",  "USED",    "CAPACITY",
                                            "FILL",  "WRITERS", "READERS",
                                            "OWNER", "STATE"};

struct row {
	char *name; /* escaped */
	char cells[COLUMNS][64];
	size_t widths[COLUMNS];
	unsigned style; /* of its state */
};

/* How many columns a text takes, whose characters are one wide as a rule. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static char *escape(const char *text)
{
	size_t length = strlen(text);
	unsigned char *escaped = malloc(length * CLI_ESCAPE_TERMINAL_MAX + 1);

	if (!escaped)
		return NULL;
	escaped[cli_escape_terminal(escaped, (const unsigned char *)text,
	                            length)] = '\0';
	return (char *)escaped;
}

/* A count of processes: "+" says that there may be more. */
static void put_count(char *cell, size_t cell_bytes,
                      const struct cli_log_table *table, uint64_t count)
{
	if (table->unseen < 0)
		snprintf(cell, cell_bytes, "?");
	else
		snprintf(cell, cell_bytes, "%" PRIu64 "%s", count,
		         table->unseen > 0 || table->hidden ? "+" : "");
}

static bool make_row(struct row *row, const struct cli_log_table *table,
                     const struct cli_listed_log *entry, struct cli_user *user)
{
	const size_t cell_bytes = sizeof(row->cells[0]);
	struct cli_scaled_text scaled;

	row->name = escape(entry->path);
	if (!row->name)
		return false;
	cli_scale_bytes(&scaled, (double)used_of(entry));
	snprintf(row->cells[USED], cell_bytes, "%s", scaled.text);
	cli_scale_bytes(&scaled, (double)entry->header.capacity);
	snprintf(row->cells[CAPACITY], cell_bytes, "%s", scaled.text);
	snprintf(row->cells[FILL], cell_bytes, "%.2f %%",
	         cli_log_used_percent(&entry->header));
	put_count(row->cells[WRITERS], cell_bytes, table, entry->writers);
	put_count(row->cells[READERS], cell_bytes, table, entry->readers);
	snprintf(row->cells[OWNER], cell_bytes, "%s",
	         cli_user_name(user, entry->uid));
	snprintf(row->cells[STATE], cell_bytes, "%s%s", state_of(entry),
	         entry->deleted ? ", deleted" : "");
	row->widths[NAME] = width_of(row->name);
	for (size_t i = USED; i < COLUMNS; i++)
		row->widths[i] = width_of(row->cells[i]);
	return true;
}

static void print_blanks(struct cli_output *output, size_t count)
{
	static const char blanks[] = "                                ";

	for (size_t some; count > 0; count -= some) {
		some = count < sizeof(blanks) - 1 ? count : sizeof(blanks) - 1;
		cli_output_bytes(output, blanks, some);
	}
}

/* The last column is not filled up. */
static void print_cell(struct cli_output *output, enum column column,
                       const char *text, size_t width, size_t most,
                       unsigned style)
{
	bool is_left = column == NAME || column == OWNER || column == STATE;

	if (!is_left)
		print_blanks(output, most - width);
	cli_output_string(output, cli_style_begin(style));
	cli_output_string(output, text);
	cli_output_string(output, cli_style_end(style));
	if (column == STATE)
		cli_output_string(output, "\n");
	else
		print_blanks(output, is_left ? most - width + 2 : 2);
}

static void print_row(struct cli_output *output, const struct row *row,
                      const size_t *widths)
{
	print_cell(output, NAME, row->name, row->widths[NAME], widths[NAME],
	           CLI_STYLE_PLAIN);
	for (size_t i = USED; i < COLUMNS; i++)
		print_cell(output, (enum column)i, row->cells[i],
		           row->widths[i], widths[i],
		           i == STATE ? row->style : CLI_STYLE_PLAIN);
}

static void print_table(struct cli_output *output, struct row *rows,
                        size_t count, bool color)
{
	unsigned title = color ? CLI_STYLE_HEADER : CLI_STYLE_PLAIN;
	size_t widths[COLUMNS];

	for (size_t column = 0; column < COLUMNS; column++) {
		widths[column] = strlen(titles[column]);
		for (size_t i = 0; i < count; i++) {
			if (rows[i].widths[column] > widths[column])
				widths[column] = rows[i].widths[column];
		}
	}
	for (size_t column = 0; column < COLUMNS; column++)
		print_cell(output, (enum column)column, titles[column],
		           strlen(titles[column]), widths[column], title);
	for (size_t i = 0; i < count; i++)
		print_row(output, &rows[i], widths);
}

static int print_text(struct cli_output *output,
                      const struct cli_log_table *table, bool color)
{
	struct row *rows = calloc(table->count + 1, sizeof(*rows));
	struct cli_user user = {.text = ""};
	size_t count = 0;
	bool complete = rows != NULL;

	for (size_t i = 0; i < table->count && complete; i++) {
		complete = make_row(&rows[i], table, &table->all[i], &user);
		if (color && table->all[i].damaged)
			rows[i].style = CLI_STYLE_MATCH;
		count += complete;
	}
	if (complete && count > 0)
		print_table(output, rows, count, color);
	for (size_t i = 0; i < count; i++)
		free(rows[i].name);
	free(rows);
	return complete ? CLI_OK : cli_fail(NULL, "cannot list", -ENOMEM);
}

int cli_print_logs(const struct cli_log_table *table, bool json, bool color)
{
	struct cli_output output;
	int result = cli_output_init(&output, STDOUT_FILENO);
	struct cli_user user = {.text = ""};
	int status = CLI_OK;

	if (result != 0)
		return cli_fail(NULL, "cannot start", result);
	if (!json)
		status = print_text(&output, table, color);
	for (size_t i = 0; i < table->count && json; i++)
		print_json(&output, table, &table->all[i], &user);
	return cli_output_finish(&output, status);
}
