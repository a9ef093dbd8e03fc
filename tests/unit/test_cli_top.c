/* Top: what lists of logs become in its model, what keys do, and the screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top_render.h"
#include "top_text.h"

#define SECOND INT64_C(1000000000)
#define MIB (UINT64_C(1) << 20)
#define ROWS 30u
#define COLUMNS 80u

static struct top_state state;
static struct cli_cells cells;
static struct cli_listed_log logs[8];
static struct cli_log_table table;
static struct top_counted counted;

static int set_up(void **unused)
{
	(void)unused;
	cli_cells_locale();
	state = (struct top_state){
		.where = "/dev/shm",
		.glyphs = CLI_GLYPHS_EIGHTHS,
		.clock = "12:34:56",
		.model = {.sort = TOP_BYTES},
	};
	table = (struct cli_log_table){.all = logs, .room = 8};
	memset(logs, 0, sizeof(logs));
	return cli_cells_resize(&cells, ROWS, COLUMNS) ? 0 : -1;
}

static int tear_down(void **unused)
{
	(void)unused;
	top_model_release(&state.model);
	cli_cells_release(&cells);
	return 0;
}

/* Adds a log to the list; names must be in order. */
static struct cli_listed_log *list(const char *path, uint64_t used,
                                   uint64_t capacity)
{
	struct cli_listed_log *log = &logs[table.count++];

	*log = (struct cli_listed_log){
		.path = (char *)(uintptr_t)path,
		.device = 1,
		.inode = 100 + table.count,
		.is_log = true,
		.header = {24, 24, 24 + used, 24 + capacity},
	};
	return log;
}

static struct top_counted count(void *context, const struct cli_listed_log *log,
                                uint64_t from)
{
	struct top_counted result = counted;

	(void)context;
	assert_true(log->header.size > from);
	result.end = log->header.size;
	return result;
}

/* A look at so many seconds. */
static void look(int64_t seconds)
{
	static const struct top_counter counter = {count, NULL};

	assert_true(top_model_update(&state.model, &table, true, &counter,
	                             seconds * SECOND));
}

static enum top_action key(uint32_t code)
{
	return top_state_key(&state, (struct cli_key_event){.key = code});
}

static void keys(const char *text)
{
	for (; *text != '\0'; text++)
		(void)key((unsigned char)*text);
}

static void expect_row(unsigned row, const char *wanted)
{
	char text[COLUMNS * CLI_CELL_POINTS * 4 + 1];

	top_render(&state, &cells);
	assert_true(cli_cells_row_bytes(&cells) <= sizeof(text));
	(void)cli_cells_row_text(&cells, row, text);
	assert_string_equal(text, wanted);
}

/* What the first row of the list shows. */
static void expect_log(size_t place, const char *name)
{
	assert_true(place < state.model.shown_count);
	assert_string_equal(state.model.shown[place]->log.path, name);
}

/* Three logs, one of which grows, as a second look sees them. */
static void show_three(void)
{
	struct cli_listed_log *log;

	list("/dev/shm/audit.shm", 3 * MIB, 4 * MIB);
	log = list("/dev/shm/events.shm", 10 * MIB, 64 * MIB);
	list("/dev/shm/old.shm", 4 * MIB, 4 * MIB)->damaged = true;
	look(10);
	log->header.size += 2 * MIB;
	log->writers = 1;
	log->readers = 2;
	log->has_lag = true;
	log->lag = 4096;
	counted = (struct top_counted){.frames = 20000, .known = true};
	look(12);
}

static void screen_has_a_row_for_each_log(void **unused)
{
	(void)unused;
	show_three();
	expect_row(0, "/dev/shm  3 logs  19.0 MiB of 72.0 MiB  10000 frames/s  "
	              "1.0 MiB/s       12:34:56");
	expect_row(1, "by bytes/s");
	expect_row(2, "NAME                   FILL FRAMES/S  BYTES/S FULL IN   "
	              "W   R     LAG RATE");
	expect_row(3, "events.shm       ▉      18%    10000     1.0M     52s   "
	              "1   2    4.0K          █");
	expect_row(4, "audit.shm        ███▊   75%        0       0B           "
	              "0   0                  ▁");
	expect_row(5, "old.shm          █████ 100%        0       0B damaged   "
	              "0   0                  ▁");
	expect_row(6, "");
	expect_row(29,
	           "h help  Enter view  s sort  / filter  p pause  f freeze "
	           " r rotate  d remove");
}

static void rates_need_two_looks_and_the_same_log(void **unused)
{
	struct top_row *row;

	(void)unused;
	list("/x/a", 100, 1000);
	look(1);
	row = state.model.rows[0];
	assert_false(row->has_rates);
	logs[0].header.size += 100;
	counted = (struct top_counted){.frames = 10, .known = true};
	look(2);
	assert_true(row->has_rates && row->has_frames);
	assert_float_equal(row->bytes_per_second, 100, 1e-9);
	assert_float_equal(row->frames_per_second, 10, 1e-9);
	/* Another file of that name, and then one that went back. */
	logs[0].inode++;
	look(3);
	assert_false(row->has_rates);
	look(4);
	assert_true(row->has_rates);
	logs[0].header.size -= 50;
	look(5);
	assert_false(row->has_rates);
	assert_int_equal(row->history_count, 0);
}

static void frames_that_were_not_all_counted_are_marked(void **unused)
{
	struct top_text text;
	const struct top_row *row;

	(void)unused;
	list("/x/a", 100, 100 * MIB);
	look(1);
	logs[0].header.size += MIB;
	counted = (struct top_counted){
		.frames = 500000, .known = true, .estimated = true};
	look(2);
	row = state.model.rows[0];
	assert_string_equal(top_text_cell(&text, &state.model, row, TOP_FRAMES),
	                    "~500k");
	logs[0].header.size += MIB;
	counted.known = false;
	look(3);
	assert_string_equal(top_text_cell(&text, &state.model, row, TOP_FRAMES),
	                    "?");
	assert_string_equal(top_text_cell(&text, &state.model, row, TOP_BYTES),
	                    "1.0M");
}

static void a_count_has_a_time_of_its_own(void **unused)
{
	(void)unused;
	list("/x/a", 100, 100 * MIB);
	look(1);
	logs[0].header.size += 300;
	counted = (struct top_counted){
		.frames = 3, .known = true, .at_ns = 4 * SECOND};
	look(2);
	assert_float_equal(state.model.rows[0]->bytes_per_second, 100, 1e-9);
}

static void new_logs_appear_and_those_gone_fade(void **unused)
{
	struct top_text text;

	(void)unused;
	list("/x/b", 10, 1000);
	look(1);
	table.count = 0;
	list("/x/a", 10, 1000);
	list("/x/b", 10, 1000)->inode = 101;
	look(2);
	assert_int_equal(state.model.shown_count, 2);
	assert_string_equal(
		top_text_left(&text, &state.model, state.model.rows[0]), "new");
	assert_string_equal(
		top_text_left(&text, &state.model, state.model.rows[1]), "");
	table.count = 1;
	look(3);
	assert_string_equal(
		top_text_left(&text, &state.model, state.model.rows[1]),
		"gone");
	look(7);
	assert_int_equal(state.model.count, 2);
	look(8);
	assert_int_equal(state.model.count, 1);
	assert_string_equal(
		top_text_left(&text, &state.model, state.model.rows[0]), "");
}

static void selection_stays_with_its_log(void **unused)
{
	(void)unused;
	show_three();
	(void)key('j');
	assert_string_equal(state.model.selected->log.path,
	                    "/dev/shm/audit.shm");
	(void)key('s');
	assert_int_equal(state.model.sort, TOP_LEFT);
	assert_string_equal(state.model.selected->log.path,
	                    "/dev/shm/audit.shm");
	/* It goes, and its neighbour is selected. */
	table.all[0] = table.all[1];
	table.all[1] = table.all[2];
	table.count = 2;
	look(13);
	look(18);
	assert_non_null(state.model.selected);
	assert_string_not_equal(state.model.selected->log.path,
	                        "/dev/shm/audit.shm");
	table.count = 0;
	look(19);
	look(30);
	assert_null(state.model.selected);
	expect_row(4, "  no logs");
	assert_int_equal(key(CLI_KEY_ENTER), TOP_ACTION_NONE);
	expect_row(29, "there is no log");
}

static void every_column_sorts(void **unused)
{
	(void)unused;
	show_three();
	for (unsigned column = 0; column < TOP_COLUMNS; column++) {
		const char *name = top_column_name((enum top_column)column);

		if (name == NULL)
			continue;
		assert_int_equal(top_column_find(name), column);
		state.model.sort = (enum top_column)column;
		top_model_arrange(&state.model);
		top_render(&state, &cells);
	}
	assert_int_equal(top_column_find("nonsense"), TOP_COLUMNS);
	state.model.sort = TOP_NAME;
	top_model_arrange(&state.model);
	expect_log(0, "/dev/shm/audit.shm");
	(void)key('i');
	expect_log(0, "/dev/shm/old.shm");
	(void)key('S');
	assert_int_equal(state.model.sort, TOP_OWNER);
	(void)key('>');
	assert_int_equal(state.model.sort, TOP_NAME);
	/* What is full is first, and what does not grow is last. */
	state.model.sort = TOP_LEFT;
	top_model_arrange(&state.model);
	expect_log(0, "/dev/shm/old.shm");
	expect_log(1, "/dev/shm/events.shm");
	expect_log(2, "/dev/shm/audit.shm");
}

static void a_frozen_order_stays_and_new_logs_come_last(void **unused)
{
	(void)unused;
	show_three();
	(void)key('f');
	expect_row(1, "by bytes/s  order frozen");
	logs[0].header.size += MIB / 2;
	table.count = 0;
	logs[3] = logs[2];
	logs[2] = logs[1];
	logs[1] = logs[0];
	list("/dev/shm/a.shm", 10, 1000);
	table.count = 4;
	look(13);
	expect_log(0, "/dev/shm/events.shm");
	expect_log(1, "/dev/shm/audit.shm");
	expect_log(3, "/dev/shm/a.shm");
	(void)key('f');
	expect_log(0, "/dev/shm/audit.shm");
}

static void a_filter_is_typed_and_taken_back(void **unused)
{
	(void)unused;
	show_three();
	(void)key('/');
	keys("Au");
	expect_row(29, "filter: Au");
	assert_true(cells.cursor_on);
	assert_int_equal(state.model.shown_count, 1);
	expect_log(0, "/dev/shm/audit.shm");
	(void)key(CLI_KEY_ENTER);
	expect_row(1, "by bytes/s  filter Au (1 of 3)");
	(void)key('/');
	keys("zzz");
	expect_row(4, "  no log passes the filter");
	(void)key(CLI_KEY_ESCAPE);
	assert_string_equal(state.model.filter, "Au");
	(void)key(CLI_KEY_ESCAPE);
	assert_int_equal(state.model.shown_count, 3);
	/* A pattern is of the name, and of the path where it has a slash. */
	(void)key('&');
	keys("e*");
	assert_int_equal(state.model.shown_count, 1);
	(void)key(CLI_KEY_BACKSPACE);
	(void)key(CLI_KEY_BACKSPACE);
	keys("/dev/*t.shm");
	assert_int_equal(state.model.shown_count, 1);
	(void)key(CLI_KEY_ENTER);
	/* Characters go as a whole, and too many are not taken. */
	(void)key('/');
	(void)key(0x6f22);
	(void)key(0x1f600);
	(void)key(CLI_KEY_BACKSPACE);
	assert_string_equal(state.model.filter, "漢");
	for (int i = 0; i < 500; i++)
		(void)key('x');
	assert_true(strlen(state.model.filter) < sizeof(state.model.filter));
}

static void only_a_yes_is_a_yes(void **unused)
{
	(void)unused;
	show_three();
	assert_int_equal(key('r'), TOP_ACTION_ASK_ROTATE);
	assert_string_equal(state.subject, "/dev/shm/events.shm");
	top_state_ask(&state, TOP_ACTION_ROTATE,
	              "rotate /dev/shm/events.shm?  pid 7 ('node app.js') "
	              "writes it, pid 9 ('shmlog tail -f /dev/shm/events.shm') "
	              "reads it.  y: yes, any other key: no");
	expect_row(28, "rotate /dev/shm/events.shm?  pid 7 ('node app.js') "
	               "writes it, pid 9 ('shmlog tai");
	expect_row(29,
	           "l -f /dev/shm/events.shm') reads it.  y: yes, any other "
	           "key: no");
	assert_int_equal(key(CLI_KEY_ENTER), TOP_ACTION_NONE);
	expect_row(29, "left as it is");
	top_state_ask(&state, TOP_ACTION_REMOVE, "remove?");
	assert_int_equal(key(CLI_KEY_RESIZE), TOP_ACTION_NONE);
	assert_int_equal(key(CLI_KEY_CLICK), TOP_ACTION_NONE);
	assert_int_equal(state.mode, TOP_QUESTION);
	assert_int_equal(key('y'), TOP_ACTION_REMOVE);
	assert_int_equal(state.mode, TOP_LIST);
	/* A log that is gone cannot be asked for. */
	table.count = 0;
	look(13);
	assert_int_equal(key('d'), TOP_ACTION_NONE);
	expect_row(29, "this log is gone");
}

/* The first key of each line of the help page does something. */
static void the_help_page_has_the_keys_that_work(void **unused)
{
	const struct top_key_help *help;
	size_t i;

	(void)unused;
	show_three();
	(void)key('h');
	expect_row(0, "Keys of shmlog top");
	expect_row(2, "  h ?          show or leave this page");
	for (i = 0; (help = top_key_help(i)) != NULL; i++) {
		char wanted[COLUMNS + 1];

		(void)snprintf(wanted, sizeof(wanted), "  %-13s%s", help->keys,
		               help->help);
		expect_row((unsigned)i + 2, wanted);
	}
	assert_true(i < ROWS - 3);
	(void)key('j');
	expect_row(2, "  j Down       select the next log");
	(void)key('x');
	assert_int_equal(state.mode, TOP_LIST);
	/* Each single character of the page is known to the list. */
	for (i = 0; (help = top_key_help(i)) != NULL; i++) {
		if (help->keys[1] != '\0' && help->keys[1] != ' ')
			continue;
		state.mode = TOP_LIST;
		(void)key((unsigned char)help->keys[0]);
		assert_string_not_equal(state.message,
		                        "no such key; h shows the keys");
	}
	state.mode = TOP_LIST;
	(void)key('Q');
	assert_string_equal(state.message, "no such key; h shows the keys");
	assert_int_equal(key('q'), TOP_ACTION_QUIT);
	assert_int_equal(key(CLI_KEY_CTRL_C), TOP_ACTION_INTERRUPT);
	assert_int_equal(key(CLI_KEY_CTRL_Z), TOP_ACTION_STOP);
	assert_int_equal(key(CLI_KEY_CTRL_L), TOP_ACTION_REDRAW);
	assert_int_equal(key(CLI_KEY_ENTER), TOP_ACTION_VIEW);
	assert_int_equal(key(CLI_KEY_DELETE), TOP_ACTION_ASK_REMOVE);
}

static void the_list_scrolls_with_the_selection(void **unused)
{
	(void)unused;
	show_three();
	assert_true(cli_cells_resize(&cells, 6, COLUMNS));
	top_render(&state, &cells);
	(void)key('G');
	expect_row(4, "old.shm          █████ 100%        0       0B damaged   "
	              "0   0                  ▁");
	assert_int_equal(state.first, 1);
	(void)key('g');
	expect_row(3, "events.shm       ▉      18%    10000     1.0M     52s   "
	              "1   2    4.0K          █");
	(void)key(CLI_KEY_PAGE_DOWN);
	assert_int_equal(top_model_place(&state.model), 1);
	(void)top_state_key(
		&state, (struct cli_key_event){.key = CLI_KEY_CLICK, .row = 3});
	assert_int_equal(top_model_place(&state.model), 0);
	assert_true(cli_cells_resize(&cells, ROWS, COLUMNS));
	top_render(&state, &cells);
	assert_int_equal(state.first, 0);
}

/* What is less wide shows less, and nothing lies outside. */
static void any_size_is_drawn(void **unused)
{
	(void)unused;
	show_three();
	for (unsigned rows = 1; rows < 34; rows++) {
		for (unsigned columns = 1; columns < 200; columns += 7) {
			assert_true(cli_cells_resize(&cells, rows, columns));
			for (int mode = TOP_LIST; mode <= TOP_QUESTION;
			     mode++) {
				state.mode = (enum top_mode)mode;
				top_render(&state, &cells);
			}
		}
	}
	state.mode = TOP_LIST;
	assert_true(cli_cells_resize(&cells, 10, 40));
	expect_row(2, "NAME                   FILL  BYTES/S   W");
	assert_true(cli_cells_resize(&cells, 10, 39));
	expect_row(0, "top needs 40 columns and 6 rows");
}

static void a_hostile_name_is_escaped(void **unused)
{
	(void)unused;
	list("/dev/shm/x\x1b[2J\n.shm", 10, 1000);
	look(1);
	expect_row(3,
	           "x\\x1b[2J\\n.shm   ▏       1%                             "
	           "0   0");
	table.count = 0;
	list("/elsewhere/a/long/name/of/a/log.shm", 10, 1000);
	look(2);
	expect_row(4, "<me/of/a/log.shm ▏       1%                       new "
	              "  0   0");
}

static void unknown_holders_are_question_marks(void **unused)
{
	struct top_text text;

	(void)unused;
	list("/x/a", 10, 1000);
	table.unseen = -95;
	look(1);
	assert_string_equal(top_text_cell(&text, &state.model,
	                                  state.model.rows[0], TOP_WRITERS),
	                    "?");
	table.unseen = 2;
	look(2);
	assert_string_equal(top_text_cell(&text, &state.model,
	                                  state.model.rows[0], TOP_READERS),
	                    "0+");
}

static void holders_stay_where_they_were_not_looked_for(void **unused)
{
	(void)unused;
	list("/x/a", 10, 1000)->readers = 3;
	look(1);
	logs[0].readers = 0;
	assert_true(top_model_update(&state.model, &table, false, NULL,
	                             2 * SECOND));
	assert_int_equal(state.model.rows[0]->log.readers, 3);
}

static void numbers_are_short(void **unused)
{
	static const struct {
		double value;
		const char *text;
	} counts[] = {{0, "0"},         {0.5, "0.5"},   {12, "12"},
	              {99999, "99999"}, {1e5, "100k"},  {1234567, "1.2M"},
	              {5e12, "5.0T"},   {5e15, "5000T"}},
	  spans[] = {{-1, "never"},      {0, "0s"},       {59, "59s"},
	             {61, "1m01s"},      {4800, "1h20m"}, {90000, "1d01h"},
	             {86400e3, ">1000d"}};
	struct top_text text;

	(void)unused;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		assert_string_equal(
			top_text_count(&text, counts[i].value, false),
			counts[i].text);
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		assert_string_equal(top_text_span(&text, spans[i].value),
		                    spans[i].text);
}

/* Rows 0 to 7 and the last one. */
static const char *const whole_screen[] = {
	"/dev/shm  4 logs  34.1 MiB of 100.0 MiB  8192 frames"
	"/s  819.3 KiB/s     12:34:56",
	"by bytes/s",
	"NAME                   FILL FRAMES/S  BYTES/S FULL I"
	"N   W   R     LAG RATE",
	"events.shm       █▏     23%     4096     819K   1m09"
	"s   1   3     60K    ▄▇█▅▃▅▆",
	"orders.shm               0%     4096     128B   2d00"
	"h   1   1      0B    ▂▃▄▅▆▇█",
	"audit.shm        ███▊   75%        0       0B       "
	"    0   0            ▁▁▁▁▁▁▁",
	"prices.shm       █████ 100%        0       0B    ful"
	"l   0   0            ▁▁▁▁▁▁▁",
	"",
	"h help  Enter view  s sort  / filter  p pause  f fre"
	"eze  r rotate  d remove",
};

static void every_row_is_drawn(void **unused)
{
	static const double share[] = {0.2, 0.5, 0.9, 1, 0.7, 0.4, 0.6, 0.8};
	char text[COLUMNS * CLI_CELL_POINTS * 4 + 1];

	(void)unused;
	list("/dev/shm/audit.shm", 3 * MIB, 4 * MIB);
	list("/dev/shm/events.shm", 10 * MIB, 64 * MIB);
	list("/dev/shm/orders.shm", 0, 16 * MIB);
	list("/dev/shm/prices.shm", 16 * MIB, 16 * MIB);
	logs[1].writers = logs[2].writers = 1;
	logs[1].readers = 3;
	logs[1].has_lag = true;
	logs[1].lag = 61440;
	logs[2].readers = 1;
	logs[2].has_lag = true;
	look(0);
	for (int64_t i = 1; i <= 8; i++) {
		logs[1].header.size += (uint64_t)(share[i - 1] * MIB);
		logs[2].header.size += 16 * (uint64_t)i;
		counted = (struct top_counted){.frames = 4096, .known = true};
		look(i);
	}
	top_render(&state, &cells);
	for (unsigned row = 0; row < 8; row++) {
		(void)cli_cells_row_text(&cells, row, text);
		assert_string_equal(text, whole_screen[row]);
	}
	(void)cli_cells_row_text(&cells, ROWS - 1, text);
	assert_string_equal(text, whole_screen[8]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(screen_has_a_row_for_each_log),
		TEST(rates_need_two_looks_and_the_same_log),
		TEST(frames_that_were_not_all_counted_are_marked),
		TEST(a_count_has_a_time_of_its_own),
		TEST(new_logs_appear_and_those_gone_fade),
		TEST(selection_stays_with_its_log),
		TEST(every_column_sorts),
		TEST(a_frozen_order_stays_and_new_logs_come_last),
		TEST(a_filter_is_typed_and_taken_back),
		TEST(only_a_yes_is_a_yes),
		TEST(the_help_page_has_the_keys_that_work),
		TEST(the_list_scrolls_with_the_selection),
		TEST(any_size_is_drawn),
		TEST(a_hostile_name_is_escaped),
		TEST(unknown_holders_are_question_marks),
		TEST(holders_stay_where_they_were_not_looked_for),
		TEST(numbers_are_short),
		TEST(every_row_is_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
