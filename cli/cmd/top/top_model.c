/* Keeps the rows of top. */
#include "top_model.h"

#include "users.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The time to full goes by the mean of so many rates, as one interval alone
 * makes it jump. */
#define MEAN_OF 5u

/* ------------------------------------------------------------------ numbers */

static uint64_t used_of(const struct top_row *row)
{
	return row->log.header.size - row->log.header.data_offset;
}

/* The mean rate of late. */
static double mean_rate(const struct top_row *row)
{
	size_t count = row->history_count < MEAN_OF ? row->history_count
	                                            : MEAN_OF;
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += row->history[TOP_HISTORY - 1 - i];
	return count > 0 ? sum / (double)count : 0;
}

double top_row_seconds_left(const struct top_row *row)
{
	const struct shmlog_header *header = &row->log.header;
	double rate = mean_rate(row);

	if (header->size >= header->capacity)
		return 0;
	return rate > 0 ? (double)(header->capacity - header->size) / rate : -1;
}

struct top_sums top_model_sums(const struct top_model *model)
{
	struct top_sums sums = {.logs = 0};

	for (size_t i = 0; i < model->count; i++) {
		const struct top_row *row = model->rows[i];

		if (row->gone)
			continue;
		sums.logs++;
		sums.used += used_of(row);
		sums.capacity += row->log.header.capacity;
		sums.frames_per_second += row->frames_per_second;
		sums.bytes_per_second += row->bytes_per_second;
		sums.estimated |= row->estimated;
	}
	return sums;
}

/* --------------------------------------------------------------------- rows */

static void free_row(struct top_row *row)
{
	free(row->log.path);
	free(row);
}

static struct top_row *make_row(const struct cli_listed_log *log,
                                int64_t came_ns)
{
	struct top_row *row = calloc(1, sizeof(*row));
	char *path = strdup(log->path);

	if (row == NULL || path == NULL) {
		free(row);
		free(path);
		return NULL;
	}
	row->log = *log;
	row->log.path = path;
	row->log.former_path = NULL;
	row->came_ns = came_ns;
	return row;
}

static bool is_same_log(const struct top_row *row,
                        const struct cli_listed_log *log)
{
	return row->log.device == log->device && row->log.inode == log->inode &&
	       row->log.header.data_offset == log->header.data_offset &&
	       row->log.header.size <= log->header.size;
}

static void forget_rates(struct top_row *row)
{
	row->has_rates = row->has_frames = row->estimated = false;
	row->frames_per_second = row->bytes_per_second = 0;
}

static void remember_rate(struct top_row *row)
{
	memmove(row->history, row->history + 1,
	        sizeof(row->history) - sizeof(row->history[0]));
	row->history[TOP_HISTORY - 1] = row->bytes_per_second;
	if (row->history_count < TOP_HISTORY)
		row->history_count++;
}

/* Works out what happened since the row was seen last.  Returns the offset that
 * was reached. */
static uint64_t measure(struct top_row *row, const struct cli_listed_log *log,
                        const struct top_counter *counter, int64_t now_ns)
{
	uint64_t from = row->log.header.size;
	struct top_counted counted = {.end = log->header.size, .known = true};
	double seconds;

	if (log->header.size > from && counter != NULL)
		counted = counter->count(counter->context, log, from);
	if (counted.at_ns == 0)
		counted.at_ns = now_ns;
	seconds = (double)(counted.at_ns - row->seen_ns) / 1e9;
	row->seen_ns = counted.at_ns;
	row->has_rates = seconds > 0;
	row->has_frames = row->has_rates && counted.known;
	row->estimated = row->has_frames && counted.estimated;
	row->bytes_per_second = row->has_rates
	                                ? (double)(counted.end - from) / seconds
	                                : 0;
	row->frames_per_second = row->has_frames
	                                 ? (double)counted.frames / seconds
	                                 : 0;
	if (row->has_rates)
		remember_rate(row);
	return counted.end;
}

/* Takes what is newer of a log. */
static void see(struct top_row *row, const struct cli_listed_log *log,
                bool with_holders, const struct top_counter *counter,
                int64_t now_ns)
{
	struct cli_listed_log before = row->log;
	uint64_t end = log->header.size;

	if (row->seen_ns != 0 && !row->gone && is_same_log(row, log)) {
		end = measure(row, log, counter, now_ns);
	} else {
		/* Another log of that name, or one that was cut. */
		forget_rates(row);
		row->history_count = 0;
		row->seen_ns = now_ns;
	}
	row->log = *log;
	row->log.path = before.path;
	row->log.former_path = NULL;
	row->log.header.size = end;
	row->gone = false;
	if (with_holders)
		return;
	row->log.writers = before.writers;
	row->log.readers = before.readers;
	row->log.has_lag = before.has_lag;
	row->log.lag = before.lag;
}

static void name_owner(struct top_row *row, struct cli_user *user)
{
	(void)snprintf(row->owner, sizeof(row->owner), "%s",
	               cli_user_name(user, row->log.uid));
}

static bool make_room(struct top_model *model, size_t more)
{
	size_t room = model->count + more;
	struct top_row **rows, **shown;

	if (room <= model->room)
		return true;
	room += room / 2;
	rows = realloc(model->rows, room * sizeof(*rows));
	if (rows != NULL)
		model->rows = rows;
	shown = realloc(model->shown, room * sizeof(*shown));
	if (shown != NULL)
		model->shown = shown;
	if (rows == NULL || shown == NULL)
		return false;
	model->room = room;
	return true;
}

/* Adds a row at its place among the names. */
static void insert(struct top_model *model, size_t at, struct top_row *row)
{
	memmove(model->rows + at + 1, model->rows + at,
	        (model->count - at) * sizeof(struct top_row *));
	model->rows[at] = row;
	model->count++;
}

/* A log that is not listed any more stays for a moment. */
static void lose(struct top_row *row, int64_t now_ns)
{
	if (row->gone)
		return;
	row->gone = true;
	row->seen_ns = now_ns;
	forget_rates(row);
	row->log.writers = row->log.readers = 0;
	row->log.has_lag = false;
}

/* Removes a row from what is shown, where it must not be met any more. */
static void hide(struct top_model *model, const struct top_row *row)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->shown_count; i++) {
		if (model->shown[i] != row)
			model->shown[kept++] = model->shown[i];
		else if (model->selected == row)
			model->selected = i + 1 < model->shown_count
			                          ? model->shown[i + 1]
			                  : i > 0 ? model->shown[i - 1]
			                          : NULL;
	}
	model->shown_count = kept;
}

static void drop_faded(struct top_model *model)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->count; i++) {
		struct top_row *row = model->rows[i];

		if (row->gone && model->now_ns - row->seen_ns >= TOP_FADE_NS) {
			hide(model, row);
			free_row(row);
		} else {
			model->rows[kept++] = row;
		}
	}
	model->count = kept;
}

bool top_model_update(struct top_model *model,
                      const struct cli_log_table *table, bool with_holders,
                      const struct top_counter *counter, int64_t now_ns)
{
	struct cli_user user = {.text = ""};
	size_t at = 0;

	if (!make_room(model, table->count + 1))
		return false;
	model->now_ns = now_ns;
	/* Both are in the order of names; one may be listed twice. */
	for (size_t i = 0; i < table->count; i++) {
		const struct cli_listed_log *log = &table->all[i];

		if (i > 0 && strcmp(log->path, table->all[i - 1].path) == 0)
			continue;
		while (at < model->count &&
		       strcmp(model->rows[at]->log.path, log->path) < 0)
			lose(model->rows[at++], now_ns);
		if (at == model->count ||
		    strcmp(model->rows[at]->log.path, log->path) != 0) {
			struct top_row *row = make_row(
				log, model->looked ? now_ns : INT64_MIN);

			if (row == NULL)
				return false;
			insert(model, at, row);
		}
		see(model->rows[at], log, with_holders, counter, now_ns);
		name_owner(model->rows[at++], &user);
	}
	while (at < model->count)
		lose(model->rows[at++], now_ns);
	if (with_holders) {
		model->unseen = table->unseen;
		model->hidden = table->hidden;
	}
	model->looked = true;
	drop_faded(model);
	top_model_arrange(model);
	return true;
}

void top_model_release(struct top_model *model)
{
	for (size_t i = 0; i < model->count; i++)
		free_row(model->rows[i]);
	free(model->rows);
	free(model->shown);
	*model = (struct top_model){.rows = NULL};
}

/* -------------------------------------------------------------------- order */

static const char *const column_names[TOP_COLUMNS] = {
	[TOP_NAME] = "name",         [TOP_USED] = "used",
	[TOP_CAPACITY] = "capacity", [TOP_FILL] = "fill",
	[TOP_FRAMES] = "frames/s",   [TOP_BYTES] = "bytes/s",
	[TOP_LEFT] = "full",         [TOP_WRITERS] = "writers",
	[TOP_READERS] = "readers",   [TOP_LAG] = "lag",
	[TOP_OWNER] = "owner",
};

const char *top_column_name(enum top_column column)
{
	return column_names[column];
}

enum top_column top_column_find(const char *name)
{
	unsigned column = 0;

	while (column < TOP_COLUMNS &&
	       (column_names[column] == NULL ||
	        strcmp(column_names[column], name) != 0))
		column++;
	return (enum top_column)column;
}

/* What rows are ordered by: the larger first. */
static double weight(const struct top_row *row, enum top_column column)
{
	double left;

	switch (column) {
	case TOP_USED: return (double)used_of(row);
	case TOP_CAPACITY: return (double)row->log.header.capacity;
	case TOP_FILL: return cli_log_used_percent(&row->log.header);
	case TOP_FRAMES: return row->frames_per_second;
	case TOP_BYTES: return row->bytes_per_second;
	case TOP_LEFT:
		left = top_row_seconds_left(row);
		return left < 0 ? -1e300 : -left;
	case TOP_WRITERS: return (double)row->log.writers;
	case TOP_READERS: return (double)row->log.readers;
	case TOP_LAG: return row->log.has_lag ? (double)row->log.lag : -1;
	default: return 0;
	}
}

static int compare(const struct top_row *a, const struct top_row *b,
                   enum top_column column)
{
	double one = weight(a, column), other = weight(b, column);

	if (column == TOP_OWNER)
		return strcmp(a->owner, b->owner);
	return one > other ? -1 : one < other ? 1 : 0;
}

/* Whether a row stands behind another one. */
static bool is_behind(const struct top_model *model, const struct top_row *a,
                      const struct top_row *b)
{
	int result = compare(a, b, model->sort);

	if (result == 0 && model->sort != TOP_NAME)
		return strcmp(a->log.path, b->log.path) > 0;
	if (model->sort == TOP_NAME)
		result = strcmp(a->log.path, b->log.path);
	return model->reversed ? result < 0 : result > 0;
}

/* Rows are nearly in order, as they were in the last one. */
static void sort_shown(struct top_model *model)
{
	for (size_t i = 1; i < model->shown_count; i++) {
		struct top_row *row = model->shown[i];
		size_t at = i;

		for (; at > 0 && is_behind(model, model->shown[at - 1], row);
		     at--)
			model->shown[at] = model->shown[at - 1];
		model->shown[at] = row;
	}
}

static bool passes(const struct top_model *model, const struct top_row *row)
{
	const char *filter = model->filter;

	if (*filter == '\0')
		return true;
	if (strpbrk(filter, "*?[") != NULL) {
		const char *slash = strrchr(row->log.path, '/');

		return fnmatch(filter,
		               slash != NULL && strchr(filter, '/') == NULL
		                       ? slash + 1
		                       : row->log.path,
		               0) == 0;
	}
	return strcasestr(row->log.path, filter) != NULL;
}

static bool is_shown(const struct top_model *model, const struct top_row *row)
{
	for (size_t i = 0; i < model->shown_count; i++) {
		if (model->shown[i] == row)
			return true;
	}
	return false;
}

/* Those that are shown already keep their places, and the others follow. */
static void choose_shown(struct top_model *model)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->shown_count; i++) {
		if (passes(model, model->shown[i]))
			model->shown[kept++] = model->shown[i];
	}
	model->shown_count = kept;
	for (size_t i = 0; i < model->count; i++) {
		struct top_row *row = model->rows[i];

		if (passes(model, row) && !is_shown(model, row))
			model->shown[model->shown_count++] = row;
	}
}

void top_model_arrange(struct top_model *model)
{
	choose_shown(model);
	if (!model->frozen)
		sort_shown(model);
	if (!model->chosen || model->selected == NULL ||
	    !is_shown(model, model->selected))
		model->selected = model->shown_count > 0 ? model->shown[0]
		                                         : NULL;
}

size_t top_model_place(const struct top_model *model)
{
	size_t place = 0;

	while (place < model->shown_count &&
	       model->shown[place] != model->selected)
		place++;
	return place;
}

void top_model_select(struct top_model *model, size_t place)
{
	if (place >= model->shown_count)
		return;
	model->selected = model->shown[place];
	model->chosen = true;
}

void top_model_move(struct top_model *model, long by)
{
	long place = (long)top_model_place(model);
	long last = (long)model->shown_count - 1;

	if (last < 0)
		return;
	place = by > last - place ? last : place + by;
	top_model_select(model, place < 0 ? 0 : (size_t)place);
}
