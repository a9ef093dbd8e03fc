/* Writes the cells of top's table. */
#include "top_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *top_text_count(struct top_text *buffer, double value,
                           bool estimated)
{
	static const char units[] = {'k', 'M', 'G', 'T'};
	const char *mark = estimated ? "~" : "";
	size_t unit = 0;

	if (value < 99999.5) {
		(void)snprintf(buffer->text, sizeof(buffer->text),
		               value > 0 && value < 9.95 ? "%s%.1f" : "%s%.0f",
		               mark, value);
		return buffer->text;
	}
	value /= 1000;
	while (value >= 999.5 && unit + 1 < sizeof(units)) {
		value /= 1000;
		unit++;
	}
	(void)snprintf(buffer->text, sizeof(buffer->text),
	               value < 9.95 ? "%s%.1f%c" : "%s%.0f%c", mark, value,
	               units[unit]);
	return buffer->text;
}

const char *top_text_span(struct top_text *buffer, double seconds)
{
	char *text = buffer->text;
	size_t room = sizeof(buffer->text);
	unsigned whole = seconds > 0 && seconds < 1e9 ? (unsigned)seconds : 0;

	if (seconds < 0)
		(void)snprintf(text, room, "never");
	else if (seconds >= 86400.0 * 1000)
		(void)snprintf(text, room, ">1000d");
	else if (whole < 60)
		(void)snprintf(text, room, "%us", whole);
	else if (whole < 3600)
		(void)snprintf(text, room, "%um%02us", whole / 60, whole % 60);
	else if (whole < 86400)
		(void)snprintf(text, room, "%uh%02um", whole / 3600,
		               whole / 60 % 60);
	else
		(void)snprintf(text, room, "%ud%02uh", whole / 86400,
		               whole / 3600 % 24);
	return text;
}

static bool is_new(const struct top_model *model, const struct top_row *row)
{
	return row->came_ns != INT64_MIN &&
	       model->now_ns - row->came_ns < TOP_FADE_NS;
}

const char *top_text_left(struct top_text *buffer,
                          const struct top_model *model,
                          const struct top_row *row)
{
	double left = top_row_seconds_left(row);

	buffer->text[0] = '\0';
	if (row->gone)
		return strcpy(buffer->text, "gone");
	if (row->log.damaged)
		return strcpy(buffer->text, "damaged");
	if (left == 0)
		return strcpy(buffer->text, "full");
	if (left > 0)
		return top_text_span(buffer, left);
	return is_new(model, row) ? strcpy(buffer->text, "new") : buffer->text;
}

/* How many processes; "+" says that there may be more, "?" that nobody
 * knows. */
static void put_processes(struct top_text *buffer,
                          const struct top_model *model, uint64_t count)
{
	if (model->unseen < 0)
		(void)snprintf(buffer->text, sizeof(buffer->text), "?");
	else
		(void)snprintf(buffer->text, sizeof(buffer->text),
		               "%" PRIu64 "%s", count,
		               model->unseen > 0 || model->hidden ? "+" : "");
}

/* Bytes: "204B", "1.5K", "153K", "12M". */
static void put_bytes(struct top_text *buffer, double bytes)
{
	static const char units[] = {'B', 'K', 'M', 'G', 'T', 'P', 'E'};
	size_t unit = 0;

	while (bytes >= 999.5 && unit + 1 < sizeof(units)) {
		bytes /= 1024;
		unit++;
	}
	(void)snprintf(buffer->text, sizeof(buffer->text),
	               unit > 0 && bytes < 9.95 ? "%.1f%c" : "%.0f%c", bytes,
	               units[unit]);
}

static void put_rate(struct top_text *buffer, const struct top_row *row,
                     enum top_column column)
{
	if (!row->has_rates)
		return;
	if (column == TOP_BYTES)
		put_bytes(buffer, row->bytes_per_second);
	else if (row->has_frames)
		(void)top_text_count(buffer, row->frames_per_second,
		                     row->estimated);
	else
		(void)snprintf(buffer->text, sizeof(buffer->text), "?");
}

const char *top_text_cell(struct top_text *buffer,
                          const struct top_model *model,
                          const struct top_row *row, enum top_column column)
{
	const struct cli_listed_log *log = &row->log;

	buffer->text[0] = '\0';
	switch (column) {
	case TOP_USED:
		put_bytes(buffer,
		          (double)(log->header.size - log->header.data_offset));
		break;
	case TOP_CAPACITY:
		put_bytes(buffer, (double)log->header.capacity);
		break;
	case TOP_FILL:
		(void)snprintf(buffer->text, sizeof(buffer->text), "%d%%",
		               (int)cli_log_used_percent(&log->header));
		break;
	case TOP_FRAMES:
	case TOP_BYTES: put_rate(buffer, row, column); break;
	case TOP_LEFT: return top_text_left(buffer, model, row);
	case TOP_WRITERS: put_processes(buffer, model, log->writers); break;
	case TOP_READERS: put_processes(buffer, model, log->readers); break;
	case TOP_LAG:
		if (log->has_lag)
			put_bytes(buffer, (double)log->lag);
		break;
	case TOP_OWNER:
		(void)snprintf(buffer->text, sizeof(buffer->text), "%s",
		               row->owner);
		break;
	default: break;
	}
	return buffer->text;
}
