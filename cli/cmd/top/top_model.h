/*
 * What top knows of the logs: a row for each, with what happened to it of late,
 * and the order in which they are shown.  It is filled from lists of logs,
 * whoever made these, and reads no clock.
 */
#ifndef TOP_MODEL_H
#define TOP_MODEL_H

#include "log_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Intervals that are remembered. */
#define TOP_HISTORY 60u
/* How long a log that is gone stays, and one that has come counts as new. */
#define TOP_FADE_NS INT64_C(5000000000)

enum top_column {
	TOP_NAME,
	TOP_USED,
	TOP_CAPACITY,
	TOP_FILL,
	TOP_FRAMES,
	TOP_BYTES,
	TOP_LEFT,
	TOP_WRITERS,
	TOP_READERS,
	TOP_LAG,
	TOP_OWNER,
	TOP_RATES,
	TOP_COLUMNS,
};

struct top_row {
	struct cli_listed_log log; /* as it was seen last; owns its path */
	char owner[64];
	int64_t seen_ns;
	int64_t came_ns; /* INT64_MIN: it was there at first */
	bool gone;
	/* Of the last interval. */
	bool has_rates;
	bool has_frames; /* they could be counted, */
	bool estimated;  /* or a part of them */
	double frames_per_second;
	double bytes_per_second;
	/* Bytes a second, the latest at the end. */
	double history[TOP_HISTORY];
	size_t history_count;
};

struct top_model {
	struct top_row **rows; /* by name */
	size_t count;
	size_t room;
	struct top_row **shown; /* those that pass the filter, in their order */
	size_t shown_count;
	struct top_row *selected; /* NULL: none is shown */
	bool chosen; /* by the user; otherwise the first one is selected */
	enum top_column sort;
	bool reversed;
	bool frozen; /* the order stays, and new logs come last */
	char filter[128];
	bool looked; /* at least once */
	int64_t now_ns;
	int unseen; /* as in struct cli_log_table */
	bool hidden;
};

/* How many frames were committed behind the offset `from` of a log. */
struct top_counted {
	int64_t at_ns; /* when; 0: at the time of the list */
	uint64_t end;  /* the offset up to which was counted */
	uint64_t frames;
	bool known;
	bool estimated;
};
struct top_counter {
	struct top_counted (*count)(void *context,
	                            const struct cli_listed_log *log,
	                            uint64_t from);
	void *context;
};

/*
 * Takes a list of logs, as they are at `now_ns`.  Who holds them is taken from
 * it only `with_holders`.  False when memory is short; the rows are as they
 * were then, or in part newer.
 */
bool top_model_update(struct top_model *model,
                      const struct cli_log_table *table, bool with_holders,
                      const struct top_counter *counter, int64_t now_ns);
void top_model_release(struct top_model *model);

/* Filters and orders the rows anew: after any change of these members. */
void top_model_arrange(struct top_model *model);

/* Selects a row by its place among those shown, or by its distance from the
 * selected one. */
void top_model_select(struct top_model *model, size_t place);
void top_model_move(struct top_model *model, long by);
/* The place of the selected row among those shown. */
size_t top_model_place(const struct top_model *model);

/* Seconds until the log is full at the rate of late; negative: never. */
double top_row_seconds_left(const struct top_row *row);

/* The name of a column, as it is typed and printed; NULL for one that nothing
 * can be sorted by.  _find returns TOP_COLUMNS for an unknown name. */
const char *top_column_name(enum top_column column);
enum top_column top_column_find(const char *name);

/* Sums over the rows. */
struct top_sums {
	size_t logs;
	uint64_t used;
	uint64_t capacity;
	double frames_per_second;
	double bytes_per_second;
	bool estimated;
};
struct top_sums top_model_sums(const struct top_model *model);

#endif
