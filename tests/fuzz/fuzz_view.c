/*
 * The pager: any keys at any log.  Whatever is pressed, no cell of the screen
 * has anything that acts on a terminal, characters have their columns, and the
 * selected row is shown.  INPUT: SIZE KEYS NUL LOG, the bytes of a log's data,
 * or, where SIZE is odd, payloads with bytes 0xfe between them.
 */
#include "fuzz.h"

#include "clock.h"
#include "command.h"
#include "message.h"
#include "utf8.h"
#include "view_render.h"
#include "view_session.h"

#include <shmlog.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define HEADER 24u
#define MOST_DATA 16384u
#define MOST_KEYS 64u
#define ROOM (HEADER + 5 * MOST_DATA + 8)
#define FOREVER_NS ((int64_t)10 * 1000000000)

static struct view_session session;
static struct cli_cells cells;
static unsigned char file[ROOM];

static void put(unsigned char *at, uint64_t value, size_t size_bytes)
{
	for (size_t i = 0; i < size_bytes; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

/* Stores data as frames; how many bytes they take. */
static size_t put_frames(unsigned char *at, const uint8_t *data,
                         size_t size_bytes)
{
	unsigned char *begin = at;

	for (size_t from = 0; from < size_bytes;) {
		const uint8_t *end = memchr(data + from, 0xfe,
		                            size_bytes - from);
		size_t length = end != NULL ? (size_t)(end - data) - from
		                            : size_bytes - from;

		put(at, length + 4, 2);
		memcpy(at + 2, data + from, length);
		put(at + 2 + length, length + 4, 2);
		at += length + 4;
		from += length + 1;
	}
	return (size_t)(at - begin);
}

static struct shmlog *make_log(const struct fuzz_input *input, bool framed)
{
	size_t size_bytes = input->left_bytes < MOST_DATA ? input->left_bytes
	                                                  : MOST_DATA;
	struct shmlog *log;

	put(file, HEADER, 8);
	put(file + 8, HEADER, 8);
	if (framed)
		size_bytes = put_frames(file + HEADER, input->at, size_bytes);
	else if (size_bytes > 0)
		memcpy(file + HEADER, input->at, size_bytes);
	put(file + 16, HEADER + size_bytes, 8);
	require(shmlog_open_memory(file, HEADER + size_bytes, &log) == 0);
	return log;
}

/* The code points of a cell, and how many columns they take. */
FUZZ_JUDGE static unsigned judge_cell(const struct cli_screen_cell *cell)
{
	unsigned columns = 1;

	for (size_t i = 0; i < CLI_CELL_POINTS && cell->points[i] != 0; i++) {
		int width = wcwidth((wchar_t)cell->points[i]);

		require(!cli_code_point_is_unsafe(cell->points[i]));
		require(i == 0 ? width > 0 : width == 0);
		columns = i == 0 ? (unsigned)width : columns;
	}
	return columns;
}

FUZZ_JUDGE static void judge_cells(void)
{
	static char text[200 * CLI_CELL_POINTS * 4 + 1];

	for (unsigned row = 0; row < cells.rows; row++) {
		const struct cli_screen_cell *line =
			&cells.cells[(size_t)row * cells.columns];
		size_t size = cli_cells_row_text(&cells, row, text);

		require(fuzz_is_harmless((const uint8_t *)text, size));
		for (unsigned i = 0; i < cells.columns;) {
			unsigned columns = judge_cell(&line[i]);

			require(line[i].points[0] != 0);
			require(i + columns <= cells.columns);
			require(columns == 1 || line[i + 1].points[0] == 0);
			i += columns;
		}
	}
	require(!cells.cursor_on || (cells.cursor_row < cells.rows &&
	                             cells.cursor_column < cells.columns));
}

static void judge_list(void)
{
	const struct view_list *list = &session.list;

	require(list->count <= VIEW_LIST_ROWS && list->top <= list->count);
	require(list->count == 0 ||
	        (list->selected < list->count && list->selected >= list->top &&
	         list->selected < list->top + list->height));
	for (size_t i = 0; i < list->count; i++) {
		require(list->rows[i].cursor < list->rows[i].next_cursor);
		require(i == 0 ||
		        list->rows[i].cursor >= list->rows[i - 1].next_cursor);
	}
}

static void work(void)
{
	int64_t until_ns = cli_now_ns() + FOREVER_NS;
	bool more = true;

	while (more) {
		more = view_session_work(&session, until_ns);
		more |= view_session_count(&session, until_ns);
		require(cli_now_ns() < until_ns);
	}
	judge_list();
	view_render(&session, &cells);
	judge_cells();
}

/* Keys that have no byte of their own have one here. */
static uint32_t key_of(uint8_t byte)
{
	/* Facts list the processes of this machine, which takes its time. */
	if (byte == 's' && session.prompt.kind == VIEW_PROMPT_NONE)
		return 'h';
	return byte < 0xe0 ? byte : CLI_KEY_UP + (byte - 0xe0u) % 16;
}

static void press(uint32_t key)
{
	struct cli_key_event event = {.key = key, .row = key % 40};

	view_session_key(&session, &event);
	/* No file is written. */
	if (session.prompt.kind == VIEW_PROMPT_FILE) {
		event.key = CLI_KEY_ESCAPE;
		view_session_key(&session, &event);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	static bool prepared;
	struct fuzz_input input = {data, size_bytes};
	uint8_t size = fuzz_take_byte(&input);
	char *keys = fuzz_take_text(&input);
	unsigned rows = 1 + size % 50, columns = 36 + size / 2 % 64;

	if (!prepared)
		cli_cells_locale();
	prepared = true;
	memset(&session, 0, sizeof(session));
	session.path = "/nowhere/log";
	require(view_source_take(&session.source, session.path,
	                         make_log(&input, size % 2 != 0)) == CLI_OK);
	require(view_session_begin(&session, 0));
	view_session_resize(&session, rows, columns);
	require(cli_cells_resize(&cells, rows, columns));
	work();
	for (size_t i = 0; keys[i] != '\0' && i < MOST_KEYS; i++) {
		press(key_of((uint8_t)keys[i]));
		if (session.quit)
			break;
		work();
	}
	view_session_release(&session);
	require(fuzz_take_messages().size_bytes == 0);
	free(keys);
	return 0;
}
