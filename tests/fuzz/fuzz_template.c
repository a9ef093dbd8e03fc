/* Templates: any text compiles or is refused in words, and renders as another
 * reading of the grammar says.  INPUT: FLAGS CURSOR TEMPLATE NUL PAYLOAD */
#include "base64.h"
#include "escape.h"
#include "fuzz.h"

#include "command.h"
#include "stdout_buffer.h"
#include "template.h"

#include <inttypes.h>
#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TEXT 512u
#define MOST_PAYLOAD 4096u

/* What is expected, and how much of it was met. */
struct expected {
	struct fuzz_written output;
	size_t at;
};

static void expect(struct expected *expected, const void *bytes,
                   size_t size_bytes)
{
	require(size_bytes <= expected->output.size_bytes - expected->at);
	require(size_bytes == 0 || memcmp(expected->output.bytes + expected->at,
	                                  bytes, size_bytes) == 0);
	expected->at += size_bytes;
}

static void expect_number(struct expected *expected, uint64_t number)
{
	char text[32];

	expect(expected, text,
	       (size_t)snprintf(text, sizeof(text), "%" PRIu64, number));
}

/* The encodings themselves are fuzz_render.c's to judge. */
static void expect_encoded(struct expected *expected, char letter,
                           const struct shmlog_frame *frame, bool escape)
{
	uint8_t *room = malloc(frame->size_bytes * (size_t)8 + 8);
	size_t used = 0;

	require(room != NULL);
	if (letter == 'b')
		used = cli_base64_encode((char *)room, frame->payload,
		                         frame->size_bytes);
	else if (letter == 'j')
		used = cli_escape_json(room, frame->payload, frame->size_bytes);
	else if (escape)
		used = cli_escape_terminal(room, frame->payload,
		                           frame->size_bytes);
	if (letter == 'j')
		expect(expected, "\"", 1);
	if (letter == 'p' && !escape)
		expect(expected, frame->payload, frame->size_bytes);
	else
		expect(expected, room, used);
	if (letter == 'j')
		expect(expected, "\"", 1);
	free(room);
}

/* The log that the frames are from. */
#define LOG_NAME "/a b\n"

/* When they were seen. */
#define SEEN "2026-11-27T04:00:00.123+01:00"
#define SEEN_EPOCH "1795748400.123456"

static bool is_late(const struct shmlog_frame *frame)
{
	return frame->cursor % 2 != 0;
}

static void expect_field(struct expected *expected, char letter,
                         const struct shmlog_frame *frame, bool escape)
{
	switch (letter) {
	case '%': expect(expected, "%", 1); break;
	case 'l':
		if (is_late(frame))
			expect(expected, "late", 4);
		break;
	case 'f':
		if (escape)
			expect(expected, "/a b\\n", 6);
		else
			expect(expected, LOG_NAME, strlen(LOG_NAME));
		break;
	case 't': expect(expected, SEEN, strlen(SEEN)); break;
	case 'T': expect(expected, SEEN_EPOCH, strlen(SEEN_EPOCH)); break;
	case 'c': expect_number(expected, frame->cursor); break;
	case 'x': expect_number(expected, frame->next_cursor); break;
	case 's': expect_number(expected, frame->size_bytes); break;
	case 'i':
		if (frame->index == SHMLOG_INDEX_UNKNOWN)
			expect(expected, "-", 1);
		else
			expect_number(expected, frame->index);
		break;
	default: expect_encoded(expected, letter, frame, escape); break;
	}
}

/* Whether the grammar knows all of a text. */
static bool is_known(const char *text)
{
	for (; *text != '\0'; text++) {
		const char *known = *text == '%'    ? "cxispbjfltT%"
		                    : *text == '\\' ? "nt0\\"
		                                    : NULL;

		if (known != NULL) {
			text++;
			if (*text == '\0' || strchr(known, *text) == NULL)
				return false;
		}
	}
	return true;
}

static void check_rendering(const struct cli_template *template,
                            const char *text, const struct shmlog_frame *frame,
                            bool escape)
{
	static const char names[] = "nt0\\", stands[] = "\n\t\0\\";
	struct expected expected = {0};
	struct cli_output *output = fuzz_output();
	const struct cli_seen_time seen = {.iso = SEEN, .epoch = SEEN_EPOCH};

	cli_template_render(template, output, LOG_NAME, frame, &seen,
	                    is_late(frame), escape, false);
	require(cli_output_flush(output) == 0);
	expected.output = fuzz_take_output();
	for (; *text != '\0'; text++) {
		if (*text == '%')
			expect_field(&expected, *++text, frame, escape);
		else if (*text == '\\')
			expect(&expected,
			       &stands[strchr(names, *++text) - names], 1);
		else
			expect(&expected, text, 1);
	}
	require(expected.at == expected.output.size_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct fuzz_input input = {data, size_bytes};
	uint8_t flags = fuzz_take_byte(&input);
	struct shmlog_frame frame = {.cursor = fuzz_take_u64(&input)};
	char *text = fuzz_take_text(&input);
	struct cli_template *template = NULL;
	uint8_t *payload;
	int status;

	if (input.left_bytes > MOST_PAYLOAD)
		input.left_bytes = MOST_PAYLOAD;
	if (strlen(text) > MOST_TEXT)
		text[MOST_TEXT] = '\0';
	payload = fuzz_copy(input.at, input.left_bytes);
	frame.payload = payload;
	frame.size_bytes = (uint32_t)input.left_bytes;
	frame.next_cursor = frame.cursor + frame.size_bytes + 4;
	frame.index = (flags & 2) != 0 ? SHMLOG_INDEX_UNKNOWN : flags;
	status = cli_template_compile(text, &template);
	require(status == (is_known(text) ? CLI_OK : CLI_USAGE));
	require((fuzz_take_messages().size_bytes > 0) == (status != CLI_OK));
	if (status == CLI_OK)
		check_rendering(template, text, &frame, (flags & 1) != 0);
	cli_template_free(template);
	free(payload);
	free(text);
	return 0;
}
