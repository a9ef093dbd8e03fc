/*
 * The pager, without a terminal: files of steps (tests/unit/view/NAME.steps)
 * make a log, press keys, and say what the screen shows.  The steps:
 *
 *   size COLUMNS ROWS      of the screen, 80 30 at first
 *   numbered N             a log of frames "frame 0", "frame 1", ...
 *   payload TEXT           one more frame of it, with the escapes of C
 *   fixture NAME           or the log tests/fixtures/NAME
 *   word OFFSET VALUE      changes two bytes of the file
 *   cut LENGTH             cuts the file
 *   replace                gives its name to another log
 *   append TEXT            a frame is appended while the pager runs
 *   path TEXT              the title names the log so
 *   follow                 the pager was started with -f
 *   schema FILE            ... and with --schema tests/fixtures/FILE
 *   keys KEY ...           presses keys: characters, or names as ENTER
 *   type TEXT              presses a key for each of its characters
 *   row N TEXT             the Nth row is this, without blanks at its end
 *   shows TEXT             it stands somewhere on the screen
 *   lacks TEXT             it does not
 *   reversed N, plain N    the Nth row is shown in reverse video, or not
 *   file NAME TEXT         the exported file begins with this
 *   gone NAME              there is no such file
 *   ends                   the last key has ended the pager
 *   patterns               the file is skipped where patterns are not built
 *
 * A word $DIR stands for a directory that is removed behind the test.
 */
#include "support.h"

#include "clock.h"
#include "pattern.h"
#include "screen.h"
#include "view_keys.h"
#include "view_render.h"
#include "view_session.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STEPS "tests/unit/view"
#define FOREVER_NS ((int64_t)60 * 1000000000)
#define LINE_BYTES 4096
#define FILES_MAX 64

struct run {
	const char *file;
	int line;
	char log[256];
	struct raw_log raw;
	bool has_raw;
	struct view_session session;
	char path[512];
	bool begun;
	struct cli_cells cells;
	unsigned columns;
	unsigned rows;
};

#define fail_step(run, ...) fail_at((run)->file, (run)->line, __VA_ARGS__)

/* -------------------------------------------------------------------- pager */

static void work(struct run *run)
{
	int64_t until_ns = cli_now_ns() + FOREVER_NS;
	bool more = true;

	while (more) {
		more = view_session_work(&run->session, until_ns);
		more |= view_session_count(&run->session, until_ns);
		if (cli_now_ns() > until_ns)
			fail_step(run, "the work never ends");
	}
	view_render(&run->session, &run->cells);
}

static void begin(struct run *run)
{
	struct view_session *session = &run->session;

	if (run->begun)
		return;
	run->begun = true;
	if (run->has_raw)
		raw_write(&run->raw, run->log);
	session->path = run->log;
	if (view_source_open(&session->source, run->log) != 0)
		fail_step(run, "no log");
	if (!view_session_begin(session,
	                        session->follow ? session->source.end : 0) ||
	    !cli_cells_resize(&run->cells, run->rows, run->columns))
		fail_step(run, "no memory");
	view_session_resize(session, run->rows, run->columns);
	work(run);
}

static void press(struct run *run, uint32_t key)
{
	struct cli_key_event event = {.key = key};

	begin(run);
	view_session_key(&run->session, &event);
	if (!run->session.quit)
		work(run);
}

static const struct {
	const char *name;
	uint32_t key;
} names[] = {
	{"ENTER", CLI_KEY_ENTER},
	{"TAB", CLI_KEY_TAB},
	{"SPACE", ' '},
	{"ESC", CLI_KEY_ESCAPE},
	{"UP", CLI_KEY_UP},
	{"DOWN", CLI_KEY_DOWN},
	{"LEFT", CLI_KEY_LEFT},
	{"RIGHT", CLI_KEY_RIGHT},
	{"PGUP", CLI_KEY_PAGE_UP},
	{"PGDN", CLI_KEY_PAGE_DOWN},
	{"HOME", CLI_KEY_HOME},
	{"END", CLI_KEY_END},
	{"BTAB", CLI_KEY_BACK_TAB},
	{"BACKSPACE", CLI_KEY_BACKSPACE},
	{"^C", CLI_KEY_CTRL_C},
	{"^U", 21},
	{"WHEELUP", CLI_KEY_WHEEL_UP},
	{"WHEELDOWN", CLI_KEY_WHEEL_DOWN},
	{"F12", CLI_KEY_OTHER},
};

static void press_named(struct run *run, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(names[i].name, name) == 0) {
			press(run, names[i].key);
			return;
		}
	}
	if (strlen(name) != 1)
		fail_step(run, "there is no key %s", name);
	press(run, (unsigned char)name[0]);
}

/* -------------------------------------------------------------------- steps */

static void set_size(struct run *run, char *text)
{
	run->columns = (unsigned)strtoul(text, &text, 10);
	run->rows = (unsigned)strtoul(text, NULL, 10);
	if (!run->begun)
		return;
	view_session_resize(&run->session, run->rows, run->columns);
	assert_true(cli_cells_resize(&run->cells, run->rows, run->columns));
	work(run);
}

/* Replaces the escapes of C that payloads in steps have. */
static size_t unescape(char *text)
{
	char *out = text;

	for (char *in = text; *in != '\0'; in++) {
		if (*in != '\\') {
			*out++ = *in;
			continue;
		}
		in++;
		if (*in == 'x')
			*out++ = (char)strtoul((char[]){in[1], in[2], '\0'},
			                       NULL, 16),
			in += 2;
		else
			*out++ = *in == 'n' ? '\n' : *in == 't' ? '\t' : *in;
	}
	return (size_t)(out - text);
}

static void make_raw(struct run *run)
{
	if (!run->has_raw)
		raw_init(&run->raw, 1 << 20);
	run->has_raw = true;
}

static void number(struct run *run, char *text)
{
	unsigned count = (unsigned)strtoul(text, NULL, 10);

	make_raw(run);
	for (unsigned i = 0; i < count; i++)
		(void)raw_append_text(&run->raw, numbered_text(i));
}

static void take_fixture(struct run *run, char *name)
{
	char path[512];
	size_t length;
	unsigned char *bytes;

	(void)snprintf(path, sizeof(path), TEST_FIXTURES "/%s", name);
	bytes = file_bytes(path, &length);
	FILE *file = fopen(run->log, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
	free(bytes);
}

static void put_word(struct run *run, char *text)
{
	uint64_t offset = strtoull(text, &text, 0);
	uint64_t value = strtoull(text, NULL, 0);
	unsigned char bytes[2] = {(unsigned char)value,
	                          (unsigned char)(value >> 8)};

	if (run->has_raw && !run->begun)
		raw_put16(&run->raw, offset, (unsigned)value);
	else
		file_put(run->log, offset, bytes, sizeof(bytes));
	/* Frames are not counted again all the time. */
	run->session.recount_due_ns = 0;
}

static void append(struct run *run, char *text)
{
	struct shmlog *log = open_log(run->log);

	begin(run);
	expect_status(append_payload(log, text, unescape(text), 0), 0);
	shmlog_close(log);
	work(run);
}

static void set_path(struct run *run, const char *text)
{
	begin(run);
	(void)snprintf(run->path, sizeof(run->path), "%s", text);
	run->session.path = run->path;
	work(run);
}

static void replace(struct run *run)
{
	begin(run);
	assert_int_equal(unlink(run->log), 0);
	write_numbered_log(run->log, 4096, 3);
	/* The name is not looked at all the time. */
	run->session.name_due_ns = 0;
	work(run);
}

static void set_schema(struct run *run, const char *name)
{
	struct cli_typed *typed = &run->session.typed;
	struct cli_bendec_error error;
	char path[512];

	(void)snprintf(path, sizeof(path), TEST_FIXTURES "/%s", name);
	typed->schema = cli_bendec_new();
	assert_non_null(typed->schema);
	assert_int_equal(cli_typed_load(typed->schema, path), 0);
	assert_true(cli_bendec_resolve(typed->schema, &error));
	typed->type = cli_bendec_choose(typed->schema, NULL, &error);
	assert_non_null(typed->type);
}

static const char *row_text(struct run *run, unsigned row)
{
	static char text[LINE_BYTES * 8];

	begin(run);
	assert_true(cli_cells_row_bytes(&run->cells) <= sizeof(text));
	if (row >= run->cells.rows)
		fail_step(run, "there is no row %u", row);
	cli_cells_row_text(&run->cells, row, text);
	return text;
}

static void expect_row(struct run *run, char *text)
{
	unsigned row = (unsigned)strtoul(text, &text, 10);
	const char *shown = row_text(run, row);

	text += *text == ' ';
	if (strcmp(shown, text) != 0)
		fail_step(run, "row %u is '%s', not '%s'", row, shown, text);
}

static void expect_text(struct run *run, const char *text, bool wanted)
{
	bool found = false;

	begin(run);
	for (unsigned row = 0; row < run->cells.rows; row++)
		found |= strstr(row_text(run, row), text) != NULL;
	if (found == wanted)
		return;
	for (unsigned row = 0; row < run->cells.rows; row++)
		fprintf(stderr, "%2u %s\n", row, row_text(run, row));
	fail_step(run, "the screen %s '%s'", wanted ? "lacks" : "shows", text);
}

static void expect_reversed(struct run *run, const char *text, bool wanted)
{
	unsigned row = (unsigned)strtoul(text, NULL, 10);

	begin(run);
	for (unsigned column = 0; column < run->cells.columns; column++) {
		const struct cli_screen_cell *cell =
			&run->cells.cells[row * run->cells.columns + column];
		bool reversed = (cell->look.attributes & CLI_CELL_REVERSE) != 0;

		if (reversed != wanted)
			fail_step(run, "row %u, column %u: reversed: %d", row,
			          column, reversed);
	}
}

static void expect_exported(struct run *run, char *text)
{
	char *space = strchr(text, ' ');
	size_t length;
	unsigned char *bytes;
	char wanted[LINE_BYTES];
	size_t wanted_bytes;

	assert_non_null(space);
	*space = '\0';
	(void)snprintf(wanted, sizeof(wanted), "%s", space + 1);
	wanted_bytes = unescape(wanted);
	bytes = file_bytes(text, &length);
	if (length < wanted_bytes || memcmp(bytes, wanted, wanted_bytes) != 0)
		fail_step(run, "%s holds '%.*s'", text, (int)length,
		          (const char *)bytes);
	free(bytes);
}

static void take_keys(struct run *run, char *text)
{
	for (char *name = strtok(text, " "); name != NULL;
	     name = strtok(NULL, " "))
		press_named(run, name);
}

static void type(struct run *run, const char *text)
{
	for (; *text != '\0'; text++)
		press(run, (unsigned char)*text);
}

static void take_step(struct run *run, const char *step, char *text)
{
	struct view_session *session = &run->session;

	if (strcmp(step, "size") == 0)
		set_size(run, text);
	else if (strcmp(step, "numbered") == 0)
		number(run, text);
	else if (strcmp(step, "payload") == 0)
		make_raw(run), raw_append(&run->raw, text, unescape(text));
	else if (strcmp(step, "fixture") == 0)
		take_fixture(run, text);
	else if (strcmp(step, "word") == 0)
		put_word(run, text);
	else if (strcmp(step, "cut") == 0)
		begin(run), file_truncate(run->log, strtoull(text, NULL, 10)),
			work(run);
	else if (strcmp(step, "replace") == 0)
		replace(run);
	else if (strcmp(step, "append") == 0)
		append(run, text);
	else if (strcmp(step, "path") == 0)
		set_path(run, text);
	else if (strcmp(step, "follow") == 0)
		session->follow = true,
		session->by_name = strcmp(text, "name") == 0;
	else if (strcmp(step, "schema") == 0)
		set_schema(run, text);
	else if (strcmp(step, "keys") == 0)
		take_keys(run, text);
	else if (strcmp(step, "type") == 0)
		type(run, text);
	else if (strcmp(step, "row") == 0)
		expect_row(run, text);
	else if (strcmp(step, "shows") == 0)
		expect_text(run, text, true);
	else if (strcmp(step, "lacks") == 0)
		expect_text(run, text, false);
	else if (strcmp(step, "reversed") == 0)
		expect_reversed(run, text, true);
	else if (strcmp(step, "plain") == 0)
		expect_reversed(run, text, false);
	else if (strcmp(step, "file") == 0)
		expect_exported(run, text);
	else if (strcmp(step, "gone") == 0)
		assert_int_equal(access(text, F_OK), -1);
	else if (strcmp(step, "ends") == 0)
		assert_true(session->quit);
	else
		fail_step(run, "there is no step %s", step);
}

/* Puts the scratch directory in the place of $DIR. */
static void expand(char *text, size_t room)
{
	char *dir = strstr(text, "$DIR");
	char rest[LINE_BYTES];

	if (dir == NULL)
		return;
	(void)snprintf(rest, sizeof(rest), "%s", dir + 4);
	(void)snprintf(dir, room - (size_t)(dir - text), "%s%s", scratch("."),
	               rest);
}

static bool has_patterns(void)
{
	const char *any[] = {"."};
	struct cli_pattern_error error;
	struct cli_pattern *pattern = cli_pattern_compile(any, 1, false,
	                                                  &error);

	if (pattern == NULL)
		return error.regex.failure != CLI_REGEX_NOT_BUILT;
	cli_pattern_free(pattern);
	return true;
}

static void run_file(const char *path)
{
	struct run run = {.file = path, .columns = 80, .rows = 30};
	FILE *file = fopen(path, "r");
	char line[LINE_BYTES];

	assert_non_null(file);
	(void)snprintf(run.log, sizeof(run.log), "%s", scratch("log"));
	while (fgets(line, sizeof(line), file) != NULL) {
		char *text;

		run.line++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		if (strcmp(line, "patterns") == 0) {
			if (has_patterns())
				continue;
			fclose(file);
			skip();
		}
		expand(line, sizeof(line));
		text = line + strcspn(line, " ");
		if (*text != '\0')
			*text++ = '\0';
		take_step(&run, line, text);
	}
	fclose(file);
	view_session_release(&run.session);
	cli_typed_release(&run.session.typed);
	cli_cells_release(&run.cells);
	if (run.has_raw)
		raw_free(&run.raw);
	(void)unlink(run.log);
}

static void steps_show_what_they_say(void **state)
{
	run_file(*state);
}

/* No key of the help page does nothing, and none does two things. */
TEST(keys_are_bound_once)
{
	for (size_t i = 0; i < view_key_count; i++) {
		assert_non_null(view_keys[i].run);
		assert_non_null(view_keys[i].help);
		for (size_t k = 0; k < VIEW_KEYS_OF_ONE; k++) {
			uint32_t key = view_keys[i].keys[k];

			for (size_t j = 0; key != 0 && j < view_key_count; j++)
				for (size_t l = 0; l < VIEW_KEYS_OF_ONE; l++)
					assert_true(view_keys[j].keys[l] !=
					                    key ||
					            (j == i && l == k));
		}
	}
}

static double processor_seconds(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The processor time that the pane takes to show a frame as JSON. */
static double draw_json(char *payload, uint16_t size_bytes, size_t lines)
{
	struct cli_typed typed = {0};
	struct cli_match_finder matches = {0};
	struct shmlog_frame frame = {.payload = (unsigned char *)payload,
	                             .size_bytes = size_bytes};
	struct view_pane pane;
	struct cli_cells cells = {0};

	assert_true(cli_cells_resize(&cells, 30, 80));
	assert_true(view_pane_init(&pane, &typed, &matches));
	pane.mode = VIEW_JSON;
	double begun = processor_seconds();

	for (int i = 0; i < 10; i++) {
		struct cli_pen pen = cli_pen_row(&cells, 0, 0, 80);

		pen.bottom = 30;
		view_pane_set(&pane, &frame);
		assert_int_equal(view_pane_draw(&pane, pen), lines);
	}
	begun = processor_seconds() - begun;
	view_pane_release(&pane);
	cli_cells_release(&cells);
	return begun;
}

/* Depth costs no more than length: the square of it would be a thousand times
 * as much. */
TEST(json_of_any_depth_is_drawn_in_one_pass)
{
	enum {
		LEVELS = 30000
	};
	static char deep[2 * LEVELS + 1], flat[2 * LEVELS + 1];

	memset(deep, '[', LEVELS);
	deep[LEVELS] = '1';
	memset(deep + LEVELS + 1, ']', LEVELS);
	memset(flat, '1', sizeof(flat));
	for (size_t i = 2; i < sizeof(flat); i += 2)
		flat[i] = ',';
	flat[0] = '[';
	flat[sizeof(flat) - 1] = ']';
	double flat_seconds = draw_json(flat, sizeof(flat), LEVELS + 2);
	double deep_seconds = draw_json(deep, sizeof(deep), 2 * LEVELS + 1);

	assert_true(deep_seconds < flat_seconds * 50);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_steps(const struct dirent *entry)
{
	return strstr(entry->d_name, ".steps") != NULL;
}

int main(void)
{
	struct CMUnitTest tests[FILES_MAX] = {
		cmocka_unit_test(keys_are_bound_once),
		cmocka_unit_test(json_of_any_depth_is_drawn_in_one_pass),
	};
	static char paths[FILES_MAX][512];
	struct dirent **entries;
	int count = scandir(STEPS, &entries, is_steps, by_name);
	size_t used = 2;

	if (count <= 0 || count >= (int)FILES_MAX)
		return 1;
	cli_cells_locale();
	for (int i = 0; i < count; i++, used++) {
		(void)snprintf(paths[used], sizeof(paths[used]), STEPS "/%s",
		               entries[i]->d_name);
		free(entries[i]);
		tests[used] = (struct CMUnitTest){
			.name = paths[used],
			.test_func = steps_show_what_they_say,
			.setup_func = test_begins,
			.initial_state = paths[used],
		};
	}
	free(entries);
	return _cmocka_run_group_tests("steps", tests, used, scratch_setup,
	                               scratch_teardown);
}
