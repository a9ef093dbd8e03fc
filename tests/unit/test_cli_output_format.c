/* The output formats, byte by byte. */
#include "support.h"

#include "command.h"
#include "message.h"
#include "output_format.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct cli_output output;
static int null_fd;

/* A frame at cursor 96 with index 4. */
static struct shmlog_frame frame_of(const void *payload, size_t size_bytes)
{
	return (struct shmlog_frame){
		.payload = payload,
		.size_bytes = (uint32_t)size_bytes,
		.cursor = 96,
		.next_cursor = 96 + size_bytes + 4,
		.index = 4,
	};
}

/* What a renderer makes of a frame is left in the output's buffer, which is
 * emptied first. */
static void render(struct cli_renderer *renderer,
                   const struct shmlog_frame *frame)
{
	assert_int_equal(cli_output_flush(&output), 0);
	cli_render_frame(renderer, &output, frame);
	assert_int_equal(output.error, 0);
}

static void expect_rendered(const char *want, size_t size_bytes)
{
	if (output.used != size_bytes ||
	    memcmp(output.buffer, want, size_bytes) != 0)
		fail_with("rendered %zu bytes: %.*s", output.used,
		          (int)output.used, (const char *)output.buffer);
}

static struct cli_renderer renderer_of(const char *name, const char *template)
{
	struct cli_renderer renderer;

	assert_int_equal(cli_renderer_init(&renderer, name, template, null_fd),
	                 CLI_OK);
	return renderer;
}

/* Payload and rendering are literals, with their NULs. */
#define EXPECT_FORMAT(name, payload, want)                                 \
	do {                                                               \
		struct cli_renderer chosen = renderer_of(name, NULL);      \
		struct shmlog_frame frame = frame_of(payload,              \
		                                     sizeof(payload) - 1); \
		render(&chosen, &frame);                                   \
		expect_rendered(want, sizeof(want) - 1);                   \
		cli_renderer_release(&chosen);                             \
	} while (0)

#define EXPECT_TEMPLATE(template, payload, want)                           \
	do {                                                               \
		struct cli_renderer chosen = renderer_of(NULL, template);  \
		struct shmlog_frame frame = frame_of(payload,              \
		                                     sizeof(payload) - 1); \
		render(&chosen, &frame);                                   \
		expect_rendered(want, sizeof(want) - 1);                   \
		cli_renderer_release(&chosen);                             \
	} while (0)

/* ----------------------------------------------------------- plain formats */

TEST(test_render_text_touches_nothing_outside_a_terminal)
{
	EXPECT_FORMAT(NULL, "a\x1b[31m\xff\0b\n", "a\x1b[31m\xff\0b\n\n");
	EXPECT_FORMAT("text", "", "\n");
}

/* Frames beside each other in memory of exactly their size, so that a look
 * beyond it is seen. */
static void expect_batch(const char *name, size_t first_bytes, size_t count)
{
	struct shmlog_frame frames[8];
	struct cli_renderer renderer = renderer_of(name, NULL);
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		size_t size_bytes = (first_bytes + i * 37) % 130;

		frames[i] = (struct shmlog_frame){
			.size_bytes = (uint32_t)size_bytes,
			.cursor = bytes,
			.next_cursor = bytes + size_bytes +
		                       SHMLOG_FRAME_OVERHEAD_BYTES,
		};
		bytes = frames[i].next_cursor;
	}
	unsigned char *memory = malloc(bytes);
	unsigned char *want = malloc(bytes);
	size_t wanted = 0;

	assert_non_null(memory);
	assert_non_null(want);
	for (size_t i = 0; i < bytes; i++)
		memory[i] = (unsigned char)('a' + i % 26);
	for (size_t i = 0; i < count; i++) {
		frames[i].payload = memory + frames[i].cursor + 2;
		memcpy(want + wanted, frames[i].payload, frames[i].size_bytes);
		wanted += frames[i].size_bytes;
		want[wanted++] = (unsigned char)renderer.format->end;
	}
	assert_int_equal(cli_output_flush(&output), 0);
	cli_render_frames(&renderer, &output, frames, count);
	expect_rendered((const char *)want, wanted);
	free(want);
	free(memory);
	cli_renderer_release(&renderer);
}

TEST(test_a_batch_reads_nothing_behind_its_frames)
{
	for (size_t bytes = 0; bytes < 130; bytes++) {
		for (size_t count = 1; count <= 8; count++) {
			expect_batch("text", bytes, count);
			expect_batch("nul", bytes, count);
		}
	}
}

TEST(test_render_text_is_escaped_for_a_terminal)
{
	struct cli_renderer renderer = renderer_of("text", NULL);
	struct shmlog_frame frame = frame_of("a\x1b\xc2\x9b\n", 5);

	assert_false(renderer.escape);
	renderer.escape = true;
	render(&renderer, &frame);
	expect_rendered("a\\x1b\\u{9b}\\n\n", 14);
	cli_renderer_release(&renderer);
}

TEST(test_render_nul_raw_and_frames_are_the_bytes)
{
	EXPECT_FORMAT("nul", "a\nb", "a\nb\0");
	EXPECT_FORMAT("nul", "", "\0");
	EXPECT_FORMAT("raw", "a\0b", "a\0b");
	EXPECT_FORMAT("raw", "", "");
	EXPECT_FORMAT("frames", "hi", "\x06\0hi\x06\0");
	EXPECT_FORMAT("frames", "", "\x04\0\x04\0");
}

TEST(test_render_frames_says_the_largest_size)
{
	unsigned char *payload = calloc(1, SHMLOG_PAYLOAD_MAX_BYTES);
	struct cli_renderer renderer = renderer_of("frames", NULL);
	struct shmlog_frame frame = frame_of(payload, SHMLOG_PAYLOAD_MAX_BYTES);

	assert_non_null(payload);
	render(&renderer, &frame);
	assert_int_equal(output.used, 65535);
	assert_memory_equal(output.buffer, "\xff\xff\0", 3);
	assert_memory_equal(output.buffer + 65532, "\0\xff\xff", 3);
	free(payload);
	cli_renderer_release(&renderer);
}

/* ------------------------------------------------------------------- JSON */

TEST(test_render_json_is_the_envelope_to_the_byte)
{
	EXPECT_FORMAT(
		"json", "a text of frames.",
		"{\"cursor\":96,\"next\":117,\"index\":4,\"size\":17,"
		"\"encoding\":\"utf8\",\"payload\":\"a text of frames.\"}\n");
	EXPECT_FORMAT("json", "",
	              "{\"cursor\":96,\"next\":100,\"index\":4,\"size\":0,"
	              "\"encoding\":\"utf8\",\"payload\":\"\"}\n");
}

TEST(test_render_json_escapes_what_is_unsafe)
{
	EXPECT_FORMAT("json", "\"\\\n\x1b\x7f\xc2\x9b\xe2\x80\xae",
	              "{\"cursor\":96,\"next\":110,\"index\":4,\"size\":10,"
	              "\"encoding\":\"utf8\",\"payload\":\"\\\"\\\\\\n\\u001b"
	              "\\u007f\\u009b\\u202e\"}\n");
}

TEST(test_render_json_gives_base64_for_what_is_no_text)
{
	EXPECT_FORMAT("json", "a\0",
	              "{\"cursor\":96,\"next\":102,\"index\":4,\"size\":2,"
	              "\"encoding\":\"base64\",\"payload\":\"YQA=\"}\n");
	EXPECT_FORMAT("json", "\xff",
	              "{\"cursor\":96,\"next\":101,\"index\":4,\"size\":1,"
	              "\"encoding\":\"base64\",\"payload\":\"/w==\"}\n");
	EXPECT_FORMAT("json",
	              "12345678\0"
	              "12345678",
	              "{\"cursor\":96,\"next\":117,\"index\":4,\"size\":17,"
	              "\"encoding\":\"base64\",\"payload\":"
	              "\"MTIzNDU2NzgAMTIzNDU2Nzg=\"}\n");
	EXPECT_FORMAT("json", "\xed\xa0\x80",
	              "{\"cursor\":96,\"next\":103,\"index\":4,\"size\":3,"
	              "\"encoding\":\"base64\",\"payload\":\"7aCA\"}\n");
}

TEST(test_render_json_numbers_are_exact_and_an_unknown_index_is_null)
{
	struct cli_renderer renderer = renderer_of("json", NULL);
	struct shmlog_frame frame = frame_of("x", 1);
	static const char want[] =
		"{\"cursor\":18446744073709551610,\"next\":"
		"18446744073709551615,"
		"\"index\":null,\"size\":1,\"encoding\":\"utf8\","
		"\"payload\":\"x\"}\n";

	frame.cursor = UINT64_MAX - 5;
	frame.next_cursor = UINT64_MAX;
	frame.index = SHMLOG_INDEX_UNKNOWN;
	render(&renderer, &frame);
	expect_rendered(want, sizeof(want) - 1);
	cli_renderer_release(&renderer);
}

/* Frames in a row as in a log, in memory of exactly their size. */
struct row {
	struct shmlog_frame frames[300];
	unsigned char *memory;
	size_t count;
};

/* Payloads of all kinds: text, text beyond ASCII, and no text. */
static size_t fill_payload(struct chance *chance, unsigned char *out)
{
	static const char *const pieces[] = {
		"plain text of some length ", "\"quoted\\", "caf\xc3\xa9 ",
		"\xe6\x97\xa5\xe6\x9c\xac",   "\n",         "\xff"};
	size_t size = 0, kinds = chance_below(chance, 8) > 0 ? 4 : 6;

	for (uint64_t n = chance_below(chance, 9); n > 0; n--) {
		const char *piece = pieces[chance_below(chance, kinds)];

		memcpy(out + size, piece, strlen(piece));
		size += strlen(piece);
	}
	return size;
}

static void put_size_word(unsigned char *out, size_t total)
{
	out[0] = (unsigned char)total;
	out[1] = (unsigned char)(total >> 8);
}

static void make_row(struct row *row, struct chance *chance, uint64_t cursor,
                     uint64_t index)
{
	unsigned char payload[300];

	row->memory = NULL;
	row->count = 1 + chance_below(chance, COUNT_OF(row->frames));
	uint64_t start = cursor;

	for (size_t i = 0; i < row->count; i++) {
		size_t size = fill_payload(chance, payload);
		size_t used = (size_t)(cursor - start);
		unsigned char *frame;

		row->memory = realloc(row->memory, used + size + 4);
		assert_non_null(row->memory);
		frame = row->memory + used;
		put_size_word(frame, size + 4);
		if (size > 0)
			memcpy(frame + 2, payload, size);
		put_size_word(frame + 2 + size, size + 4);
		row->frames[i] = (struct shmlog_frame){
			.size_bytes = (uint32_t)size,
			.cursor = cursor,
			.next_cursor = cursor + size + 4,
			.index = index,
		};
		cursor += size + 4;
		index += index != SHMLOG_INDEX_UNKNOWN;
	}
	for (size_t i = 0; i < row->count; i++)
		row->frames[i].payload = row->memory + 2 +
		                         (row->frames[i].cursor - start);
}

/* What a batch becomes is what its frames become. */
static void expect_row(struct cli_renderer *renderer, const struct row *row)
{
	char *want;
	size_t size;

	assert_int_equal(cli_output_flush(&output), 0);
	for (size_t i = 0; i < row->count; i++)
		cli_render_frame(renderer, &output, &row->frames[i]);
	size = output.used;
	want = malloc(size);
	assert_non_null(want);
	memcpy(want, output.buffer, size);
	assert_int_equal(cli_output_flush(&output), 0);
	cli_render_frames(renderer, &output, row->frames, row->count);
	expect_rendered(want, size);
	free(want);
}

TEST(test_a_batch_of_json_is_its_frames_one_by_one)
{
	/* Where a number gets a digit more, the last eight are used up, or
	 * nothing is counted. */
	static const uint64_t starts[] = {0,
	                                  7,
	                                  95,
	                                  9900,
	                                  99980000,
	                                  9999999000,
	                                  1234567899999000,
	                                  UINT64_MAX - 1000000,
	                                  UINT64_MAX - 40,
	                                  SHMLOG_INDEX_UNKNOWN};
	struct cli_renderer renderer = renderer_of("json", NULL);
	struct chance chance = chance_start("json rows", 3);
	char path[400];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	for (size_t round = 0; round < 300; round++) {
		struct row row;
		size_t named = chance_below(&chance, 4);
		uint64_t index =
			starts[chance_below(&chance, COUNT_OF(starts))];

		if (index != SHMLOG_INDEX_UNKNOWN)
			index += chance_below(&chance, 2) * 90;
		make_row(&row, &chance,
		         starts[round % (COUNT_OF(starts) - 1)] +
		                 chance_below(&chance, 60),
		         index);
		assert_true(cli_renderer_set_log(
			&renderer, named == 0 ? "a log" : path, named < 2));
		renderer.seen_member = chance_below(&chance, 4) == 0;
		if (renderer.seen_member)
			cli_seen_now(&renderer.seen);
		/* A frame that does not follow, as where some are left out. */
		if (row.count > 2 && chance_below(&chance, 4) == 0)
			row.frames[row.count / 2] =
				row.frames[row.count / 2 - 1];
		expect_row(&renderer, &row);
		free(row.memory);
	}
	cli_renderer_release(&renderer);
}

TEST(test_render_event_is_a_line_of_json_only)
{
	struct cli_renderer json = renderer_of("json", NULL);
	struct cli_renderer text = renderer_of("text", NULL);
	static const char want[] = "{\"event\":\"reopened\",\"cursor\":0}\n";

	assert_int_equal(cli_output_flush(&output), 0);
	cli_render_event(&text, &output, "reopened", "");
	assert_int_equal(output.used, 0);
	cli_render_event(&json, &output, "reopened", ",\"cursor\":0");
	expect_rendered(want, sizeof(want) - 1);
	cli_renderer_release(&json);
	cli_renderer_release(&text);
}

TEST(test_render_damage_names_the_cursor_and_the_reason)
{
	struct cli_renderer json = renderer_of("json", NULL);
	struct cli_renderer text = renderer_of("text", NULL);
	struct shmlog_fault fault = {
		.status = SHMLOG_ERR_FRAME_CORRUPT,
		.cursor = 9007199254740993u,
		.available = 100,
		.first_word = 20,
		.second_word = 7,
	};
	static const char want[] =
		"{\"event\":\"damage\",\"cursor\":9007199254740993,"
		"\"backwards\":false,\"error\":\"ERR_SHM_FRAME_CORRUPT\","
		"\"reason\":\"damaged frame at cursor 9007199254740993: its "
		"size word says 20, the one behind it says 7\"}\n";

	assert_int_equal(cli_output_flush(&output), 0);
	cli_render_damage(&text, &output, &fault);
	assert_int_equal(output.used, 0);
	cli_render_damage(&json, &output, &fault);
	expect_rendered(want, sizeof(want) - 1);
	cli_renderer_release(&json);
	cli_renderer_release(&text);
}

/* --------------------------------------------------------------------- hex */

TEST(test_render_hex_is_hexdump_under_a_header)
{
	EXPECT_FORMAT("hex", "", "cursor 96 size 0\n");
	EXPECT_FORMAT("hex", "Hi\n\xff",
	              "cursor 96 size 4\n"
	              "00000000  48 69 0a ff                              "
	              "         |Hi..|\n"
	              "00000004\n");
	EXPECT_FORMAT("hex", "0123456789abcdef~\x7f",
	              "cursor 96 size 18\n"
	              "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 "
	              "66  |0123456789abcdef|\n"
	              "00000010  7e 7f                                         "
	              "    |~.|\n"
	              "00000012\n");
}

#define ROW "                "
#define ROW_HEX \
	"  20 20 20 20 20 20 20 20  20 20 20 20 20 20 20 20  |" ROW "|\n"

TEST(test_render_hex_squeezes_rows_that_repeat)
{
	EXPECT_FORMAT("hex", ROW ROW,
	              "cursor 96 size 32\n00000000" ROW_HEX "*\n00000020\n");
	EXPECT_FORMAT("hex", ROW ROW ROW "  ",
	              "cursor 96 size 50\n00000000" ROW_HEX "*\n"
	              "00000030  20 20                                         "
	              "    |  |\n00000032\n");
	EXPECT_FORMAT("hex", ROW ROW "xxxxxxxxxxxxxxxx" ROW ROW,
	              "cursor 96 size 80\n00000000" ROW_HEX "*\n"
	              "00000020  78 78 78 78 78 78 78 78  78 78 78 78 78 78 78 "
	              "78  |xxxxxxxxxxxxxxxx|\n"
	              "00000030" ROW_HEX "*\n00000050\n");
}

/* --------------------------------------------------------------------- csv */

/* The payload, and a column that has nothing. */
static const struct cli_cell *find_payload(struct cli_column_source *source,
                                           const struct shmlog_frame *frame)
{
	static struct cli_cell cells[2];

	(void)source;
	cells[0] = (struct cli_cell){frame->payload, frame->size_bytes};
	return cells;
}

static const char *const column_names[] = {"a,b", "c"};
static struct cli_column_source payload_column = {1, column_names,
                                                  find_payload};
static struct cli_column_source two_columns = {2, column_names, find_payload};

static void expect_csv(const char *payload, bool escape, const char *want)
{
	struct cli_renderer renderer = renderer_of("csv", NULL);
	struct shmlog_frame frame = frame_of(payload, strlen(payload));

	renderer.columns = &two_columns;
	renderer.escape = escape;
	render(&renderer, &frame);
	expect_rendered(want, strlen(want));
	cli_renderer_release(&renderer);
}

TEST(test_render_csv_quotes_what_needs_it)
{
	expect_csv("plain words", false, "plain words,\n");
	expect_csv("a,b", false, "\"a,b\",\n");
	expect_csv("\"", false, "\"\"\"\",\n");
	expect_csv("a\"\"b\"", false, "\"a\"\"\"\"b\"\"\",\n");
	expect_csv("a\nb", false, "\"a\nb\",\n");
	expect_csv("a\r", false, "\"a\r\",\n");
	expect_csv("", false, "\"\",\n");
	expect_csv("\x1b,\"\n", true, "\"\\x1b,\"\"\\n\",\n");
}

TEST(test_render_csv_names_its_columns)
{
	struct cli_renderer renderer = renderer_of("csv", NULL);

	renderer.columns = &two_columns;
	assert_int_equal(cli_output_flush(&output), 0);
	renderer.format->heading(&renderer, &output);
	expect_rendered("\"a,b\",c\n", 8);
	cli_renderer_release(&renderer);
}

/* --------------------------------------------------------------- templates */

TEST(test_template_gives_each_part_of_a_frame)
{
	EXPECT_TEMPLATE("%c %x %i %s", "hello", "96 105 4 5");
	EXPECT_TEMPLATE("[%p]", "a\n\0b", "[a\n\0b]");
	EXPECT_TEMPLATE("%b", "foob", "Zm9vYg==");
	EXPECT_TEMPLATE("%j", "a\"\x1b\0", "\"a\\\"\\u001b\\u0000\"");
	EXPECT_TEMPLATE("%j", "\xff", "\"\\udcff\"");
	EXPECT_TEMPLATE("%p%p", "ab", "abab");
	EXPECT_TEMPLATE("%b%j%p", "", "\"\"");
}

TEST(test_template_literals_and_escapes_stand_for_themselves)
{
	EXPECT_TEMPLATE("", "x", "");
	EXPECT_TEMPLATE("100%% \\n\\t\\0\\\\", "x", "100% \n\t\0\\");
	EXPECT_TEMPLATE("%%c", "x", "%c");
	EXPECT_TEMPLATE("\\\\n", "x", "\\n");
	EXPECT_TEMPLATE("a%sb%sc", "x", "a1b1c");
	EXPECT_TEMPLATE("\xc3\xa9", "x", "\xc3\xa9");
}

TEST(test_template_shows_an_unknown_index_as_a_dash)
{
	struct cli_renderer renderer = renderer_of(NULL, "%i");
	struct shmlog_frame frame = frame_of("x", 1);

	frame.index = SHMLOG_INDEX_UNKNOWN;
	render(&renderer, &frame);
	expect_rendered("-", 1);
	cli_renderer_release(&renderer);
}

TEST(test_template_has_the_time_that_was_taken)
{
	struct cli_renderer renderer = renderer_of(NULL, "%t %T");
	struct shmlog_frame frame = frame_of("x", 1);

	assert_int_equal(setenv("TZ", "EAST-05:30", 1), 0);
	cli_seen_set(&renderer.seen, 1795748400, 9999999);
	render(&renderer, &frame);
	expect_rendered("2026-11-27T08:30:00.009+05:30 1795748400.009999", 47);
	assert_int_equal(setenv("TZ", "WEST03:30", 1), 0);
	cli_seen_set(&renderer.seen, 0, 0);
	render(&renderer, &frame);
	expect_rendered("1969-12-31T20:30:00.000-03:30 0.000000", 38);
	assert_int_equal(unsetenv("TZ"), 0);
	cli_renderer_release(&renderer);
}

TEST(test_template_escapes_the_payload_alone_for_a_terminal)
{
	struct cli_renderer renderer = renderer_of(NULL, "\\t%p\\n");
	struct shmlog_frame frame = frame_of("\t\x1b", 2);

	renderer.escape = true;
	render(&renderer, &frame);
	expect_rendered("\t\\t\\x1b\n", 8);
	cli_renderer_release(&renderer);
}

/* ---------------------------------------------------------------- choosing */

/* Tries to make a renderer; what it said is in `said`. */
static char said[4096];

static int refused(const char *name, const char *template)
{
	const char *path = scratch("stderr");
	int saved = dup(STDERR_FILENO);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct cli_renderer renderer;
	ssize_t length;
	int status;

	assert_true(fd >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	status = cli_renderer_init(&renderer, name, template, null_fd);
	assert_true(dup2(saved, STDERR_FILENO) == STDERR_FILENO);
	length = pread(fd, said, sizeof(said) - 1, 0);
	assert_true(length >= 0);
	said[length] = '\0';
	close(saved);
	close(fd);
	cli_renderer_release(&renderer);
	return status;
}

static void expect_refused(const char *name, const char *template,
                           const char *why)
{
	assert_int_equal(refused(name, template), CLI_USAGE);
	if (strstr(said, why) == NULL)
		fail_with("%s %s: %s", name != NULL ? name : "",
		          template != NULL ? template : "", said);
}

TEST(test_renderer_refuses_what_it_does_not_know)
{
	expect_refused("xml", NULL, "unknown output format 'xml'");
	expect_refused("", NULL, "unknown output format ''");
	expect_refused("JSON", NULL, "unknown output format 'JSON'");
	expect_refused("js", NULL, "unknown output format 'js'");
	expect_refused("template", NULL, "unknown output format 'template'");
	expect_refused("json", "%p", "exclude each other");
	expect_refused(NULL, "%q", "unknown '%q' in the template");
	expect_refused(NULL, "ok %p %", "ends in a lone '%'");
	expect_refused(NULL, "\\", "ends in a lone '\\'");
	expect_refused(NULL, "\\x41", "unknown '\\x' in the template");
	expect_refused(NULL, "%\\", "unknown '%\\' in the template");
	expect_refused(NULL, "\\%", "unknown '\\%' in the template");
	expect_refused(NULL, "%\xc3\xa9x", "unknown '%\xc3\xa9' in");
	expect_refused(NULL, "%\xff", "unknown '%\\xff' in");
	expect_refused(NULL, "%\x1b", "unknown '%\\x1b' in");
}

/* ------------------------------------------------------------------- sizes */

TEST(test_every_format_holds_the_largest_payload)
{
	static const struct {
		const char *name;
		const char *template;
		bool escape;
	} choices[] = {
		{"text", NULL, false},
		{"text", NULL, true},
		{"nul", NULL, false},
		{"json", NULL, false},
		{"hex", NULL, false},
		{"frames", NULL, false},
		{"raw", NULL, false},
		{"csv", NULL, false},
		{"csv", NULL, true},
		{NULL, "%p", true},
		{NULL, "%b", false},
		{NULL, "%j", false},
		{NULL, "%p%b%j%p%b%j%p%b%j", true},
	};
	/* what grows most when it is escaped, and when it is not text */
	static const unsigned char fills[] = {0x00, 0x01, 0x7f, 0xff, 'a'};
	unsigned char *payload = calloc(SHMLOG_PAYLOAD_MAX_BYTES, 1);
	struct shmlog_frame frame = frame_of(payload, SHMLOG_PAYLOAD_MAX_BYTES);

	assert_non_null(payload);
	for (size_t i = 0; i < COUNT_OF(choices) * COUNT_OF(fills); i++) {
		size_t choice = i / COUNT_OF(fills);
		struct cli_renderer renderer = renderer_of(
			choices[choice].name, choices[choice].template);

		renderer.escape = choices[choice].escape;
		renderer.columns = &payload_column;
		memset(payload, fills[i % COUNT_OF(fills)],
		       SHMLOG_PAYLOAD_MAX_BYTES);
		/* over a buffer that is nearly full, too */
		for (int repeat = 0; repeat < 20; repeat++)
			cli_render_frames(&renderer, &output, &frame, 1);
		assert_int_equal(output.error, 0);
		assert_true(output.used > 0);
		assert_int_equal(cli_output_flush(&output), 0);
		cli_renderer_release(&renderer);
	}
	free(payload);
}

static int setup(void **state)
{
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	cli_message_command("dump");
	return scratch_setup(state) != 0 || null_fd < 0 ||
	       cli_output_init(&output, null_fd) != 0;
}

/* A format whose author did not think of terminals. */
static void render_planted(const struct cli_renderer *renderer,
                           struct cli_output *into,
                           const struct shmlog_frame *frame)
{
	(void)renderer;
	cli_output_string(into, "- \x1b[31m");
	cli_output_bytes(into, frame->payload, frame->size_bytes);
	/* More than one piece, cut inside a character. */
	for (int i = 0; i < 50000; i++)
		cli_output_string(into, "\xe2\x82\xac");
	cli_output_string(into, "\n");
}

static void test_a_new_format_is_escaped_on_a_terminal_by_itself(void **state)
{
	static const struct cli_output_format planted = {
		.name = "planted", .frame = render_planted, .end = '\n'};
	struct cli_renderer renderer = {.format = &planted, .escape = true};
	struct shmlog_frame frame = frame_of("\x07", 1);

	(void)state;
	for (int round = 0; round < 2; round++) {
		render(&renderer, &frame);
		assert_true(output.used > 150000);
		assert_memory_equal(output.buffer, "- \\x1b[31m\\x07\xe2", 15);
		assert_null(memchr(output.buffer, 0x1b, output.used));
		assert_int_equal(output.used, 14 + 150000 + 1);
		assert_int_equal(output.buffer[output.used - 1], '\n');
	}
	cli_renderer_release(&renderer);
}

static int teardown(void **state)
{
	cli_output_release(&output);
	close(null_fd);
	return scratch_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_render_text_touches_nothing_outside_a_terminal),
		cmocka_unit_test(test_a_batch_reads_nothing_behind_its_frames),
		cmocka_unit_test(test_render_text_is_escaped_for_a_terminal),
		cmocka_unit_test(test_render_nul_raw_and_frames_are_the_bytes),
		cmocka_unit_test(test_render_frames_says_the_largest_size),
		cmocka_unit_test(test_render_json_is_the_envelope_to_the_byte),
		cmocka_unit_test(test_render_json_escapes_what_is_unsafe),
		cmocka_unit_test(
			test_render_json_gives_base64_for_what_is_no_text),
		cmocka_unit_test(
			test_render_json_numbers_are_exact_and_an_unknown_index_is_null),
		cmocka_unit_test(test_a_batch_of_json_is_its_frames_one_by_one),
		cmocka_unit_test(test_render_event_is_a_line_of_json_only),
		cmocka_unit_test(
			test_render_damage_names_the_cursor_and_the_reason),
		cmocka_unit_test(test_render_hex_is_hexdump_under_a_header),
		cmocka_unit_test(test_render_hex_squeezes_rows_that_repeat),
		cmocka_unit_test(test_render_csv_quotes_what_needs_it),
		cmocka_unit_test(test_render_csv_names_its_columns),
		cmocka_unit_test(test_template_gives_each_part_of_a_frame),
		cmocka_unit_test(
			test_template_literals_and_escapes_stand_for_themselves),
		cmocka_unit_test(
			test_template_shows_an_unknown_index_as_a_dash),
		cmocka_unit_test(test_template_has_the_time_that_was_taken),
		cmocka_unit_test(
			test_template_escapes_the_payload_alone_for_a_terminal),
		cmocka_unit_test(test_renderer_refuses_what_it_does_not_know),
		cmocka_unit_test(test_every_format_holds_the_largest_payload),
		cmocka_unit_test(
			test_a_new_format_is_escaped_on_a_terminal_by_itself),
	};

	return cmocka_run_group_tests_name("cli_output_format", tests, setup,
	                                   teardown);
}
