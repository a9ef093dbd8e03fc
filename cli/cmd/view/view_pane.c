/* Draws one frame: as text, as JSON, as bytes beside text, as fields. */
#include "view_pane.h"

#include "color.h"
#include "json_check.h"
#include "json_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAB_COLUMNS 8u
#define INDENT 2u
/* Levels of types that are drawn; those inside are one value. */
#define FIELD_LEVELS 16u
/* What of a payload a line of the list shows at most. */
#define LINE_BYTES 4096u

bool view_pane_init(struct view_pane *pane, const struct cli_typed *typed,
                    struct cli_match_finder *matches)
{
	*pane = (struct view_pane){
		.fold = VIEW_UNFOLDED,
		.typed = typed,
		.matches = matches,
		.payload = malloc(SHMLOG_PAYLOAD_MAX_BYTES + 1),
	};
	return cli_output_init_memory(&pane->value) == 0 &&
	       pane->payload != NULL;
}

void view_pane_release(struct view_pane *pane)
{
	free(pane->payload);
	pane->payload = NULL;
	cli_output_release(&pane->value);
	cli_paint_release(&pane->paint);
}

/* ------------------------------------------------------------ what is shown */

static void read_value(struct view_pane *pane)
{
	struct cli_bendec_error error;

	pane->type = cli_typed_match(pane->typed, &pane->frame, &error);
	if (pane->type == NULL) {
		(void)snprintf(pane->why_not, sizeof(pane->why_not), "%s",
		               error.text);
		return;
	}
	pane->value.used = 0;
	pane->value.error = 0;
	cli_typed_print(pane->typed, pane->type, &pane->value, &pane->frame,
	                '\n');
	if (pane->value.error != 0 || pane->value.used == 0)
		return;
	pane->text = pane->value.buffer;
	pane->text_bytes = pane->value.used - 1;
}

static void check_json(struct view_pane *pane)
{
	struct cli_json_error error;

	pane->is_json = cli_json_check((const char *)pane->text,
	                               pane->text_bytes, &error);
	if (!pane->is_json && pane->why_not[0] == '\0')
		(void)snprintf(pane->why_not, sizeof(pane->why_not),
		               "no JSON: byte %zu: %s", error.offset,
		               error.reason);
}

/* The end of the string that begins at `at`. */
static size_t end_of_string(const struct view_pane *pane, size_t at)
{
	for (at++; pane->text[at] != '"'; at++)
		at += pane->text[at] == '\\';
	return at + 1;
}

static void measure_depth(struct view_pane *pane)
{
	unsigned depth = 0;

	pane->depth = 0;
	for (size_t at = 0; pane->is_json && at < pane->text_bytes;) {
		unsigned char byte = pane->text[at];

		if (byte == '"') {
			at = end_of_string(pane, at);
			continue;
		}
		at++;
		if (byte == '{' || byte == '[')
			depth++;
		else if (byte == '}' || byte == ']')
			depth--;
		if (depth > pane->depth)
			pane->depth = depth;
	}
}

static void paint(struct view_pane *pane)
{
	if (!cli_paint_begin(&pane->paint, pane->text_bytes))
		return;
	if (pane->is_json)
		cli_paint_json(&pane->paint, pane->text, pane->text_bytes,
		               false);
	if (pane->matches->find != NULL)
		cli_paint_matches(&pane->paint, pane->text, pane->text_bytes,
		                  pane->matches);
}

bool view_pane_has(const struct view_pane *pane,
                   const struct shmlog_frame *frame)
{
	return pane->frame.cursor == frame->cursor &&
	       pane->frame.size_bytes == frame->size_bytes &&
	       memcmp(pane->payload, frame->payload, frame->size_bytes) == 0;
}

void view_pane_set(struct view_pane *pane, const struct shmlog_frame *frame)
{
	memcpy(pane->payload, frame->payload, frame->size_bytes);
	/* Some of what looks into it reads a byte further. */
	pane->payload[frame->size_bytes] = '\n';
	pane->frame = *frame;
	pane->frame.payload = pane->payload;
	pane->text = pane->payload;
	pane->text_bytes = frame->size_bytes;
	pane->why_not[0] = '\0';
	pane->type = NULL;
	if (pane->typed->type != NULL)
		read_value(pane);
	check_json(pane);
	measure_depth(pane);
	paint(pane);
}

void view_pane_turn(struct view_pane *pane, bool back)
{
	do {
		pane->mode = (pane->mode + (back ? VIEW_MODES - 1 : 1)) %
		             VIEW_MODES;
	} while (pane->mode == VIEW_FIELDS && pane->typed->type == NULL);
}

const char *view_pane_name(const struct view_pane *pane)
{
	static const char *const names[] = {"text", "JSON", "hex", "fields"};

	return names[pane->mode];
}

/* --------------------------------------------------------------------- text */

static unsigned style_at(const struct view_pane *pane, size_t at)
{
	return at < pane->paint.room_bytes ? pane->paint.styles[at]
	                                   : CLI_STYLE_PLAIN;
}

/* Draws bytes of the text, each in its style. */
static void draw_bytes(const struct view_pane *pane, struct cli_pen *pen,
                       size_t from, size_t to)
{
	while (from < to) {
		unsigned style = style_at(pane, from);
		size_t end = from + 1;

		while (end < to && style_at(pane, end) == style)
			end++;
		pen->look.style = (uint8_t)style;
		cli_pen_bytes(pen, pane->text + from, end - from);
		from = end;
	}
	pen->look.style = CLI_STYLE_PLAIN;
}

static void draw_text(const struct view_pane *pane, struct cli_pen *pen)
{
	size_t from = 0;

	while (from < pane->text_bytes) {
		size_t end = from;

		while (end < pane->text_bytes && pane->text[end] != '\n' &&
		       pane->text[end] != '\t')
			end++;
		draw_bytes(pane, pen, from, end);
		if (end < pane->text_bytes && pane->text[end] == '\n')
			cli_pen_newline(pen);
		else if (end < pane->text_bytes)
			cli_pen_to(pen, pen->left + ((pen->column - pen->left) /
			                                     TAB_COLUMNS +
			                             1) * TAB_COLUMNS);
		from = end + 1;
	}
	cli_pen_newline(pen);
}

void view_pane_line(struct view_pane *pane, const struct shmlog_frame *frame,
                    struct cli_pen *pen)
{
	struct shmlog_frame shown = *frame;

	/* Nobody sees more of it, and all of it would be looked through. */
	if (shown.size_bytes > LINE_BYTES && pane->typed->type == NULL) {
		shown.size_bytes = LINE_BYTES;
		while (shown.size_bytes > LINE_BYTES - 4 &&
		       (shown.payload[shown.size_bytes] & 0xc0) == 0x80)
			shown.size_bytes--;
	}
	view_pane_set(pane, &shown);
	draw_bytes(pane, pen, 0,
	           pane->text_bytes < LINE_BYTES ? pane->text_bytes
	                                         : LINE_BYTES);
}

/* --------------------------------------------------------------------- JSON */

static bool is_blank(unsigned char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The end of the object or array that begins at `at`, and how many members or
 * elements it has, at least one.  Only for one that is drawn in one line: to
 * look to the end of each that is opened would take the square of the depth. */
static size_t end_of_container(const struct view_pane *pane, size_t at,
                               size_t *count_out)
{
	size_t depth = 0, count = 1;

	for (;;) {
		unsigned char byte = pane->text[at];

		if (byte == '"') {
			at = end_of_string(pane, at);
			continue;
		}
		at++;
		if (byte == '{' || byte == '[')
			depth++;
		else if (byte == ',')
			count += depth == 1;
		else if ((byte == '}' || byte == ']') && --depth == 0)
			break;
	}
	*count_out = count;
	return at;
}

static void begin_line(struct cli_pen *pen, size_t depth)
{
	unsigned room = (pen->right - pen->left) / 2;
	unsigned indent = depth * INDENT < room ? (unsigned)depth * INDENT
	                                        : room;

	cli_pen_newline(pen);
	cli_pen_to(pen, pen->left + indent);
}

static size_t skip_blanks(const struct view_pane *pane, size_t at)
{
	while (at < pane->text_bytes && is_blank(pane->text[at]))
		at++;
	return at;
}

/* Opens a container, or draws it in one line.  The place behind what was
 * drawn. */
static size_t open_container(const struct view_pane *pane, struct cli_pen *pen,
                             size_t at, size_t *depth)
{
	char text[48];
	size_t inside = skip_blanks(pane, at + 1), count, end;
	bool object = pane->text[at] == '{';

	if (pane->text[inside] == '}' || pane->text[inside] == ']') {
		cli_pen_string(pen, object ? "{}" : "[]");
		return inside + 1;
	}
	if (*depth < pane->fold || pane->fold == VIEW_UNFOLDED) {
		cli_pen_bytes(pen, pane->text + at, 1);
		begin_line(pen, ++*depth);
		return at + 1;
	}
	end = end_of_container(pane, at, &count);
	(void)snprintf(text, sizeof(text), object ? "{%zu…}" : "[%zu…]", count);
	cli_pen_string(pen, text);
	return end;
}

/* The place behind a number or a word. */
static size_t end_of_word(const struct view_pane *pane, size_t at)
{
	while (at < pane->text_bytes && !is_blank(pane->text[at]) &&
	       memchr(",:]}", pane->text[at], 4) == NULL)
		at++;
	return at;
}

/* Draws what begins at `at`.  The place behind it. */
static size_t draw_json_token(const struct view_pane *pane, struct cli_pen *pen,
                              size_t at, size_t *depth)
{
	size_t end;

	switch (pane->text[at]) {
	case '{':
	case '[': return open_container(pane, pen, at, depth);
	case '}':
	case ']':
		begin_line(pen, --*depth);
		cli_pen_bytes(pen, pane->text + at, 1);
		return at + 1;
	case ',':
		cli_pen_string(pen, ",");
		begin_line(pen, *depth);
		return at + 1;
	case ':': cli_pen_string(pen, ": "); return at + 1;
	case '"': end = end_of_string(pane, at); break;
	default: end = end_of_word(pane, at); break;
	}
	draw_bytes(pane, pen, at, end);
	return end;
}

static void draw_json(const struct view_pane *pane, struct cli_pen *pen)
{
	size_t depth = 0;

	for (size_t at = skip_blanks(pane, 0); at < pane->text_bytes;
	     at = skip_blanks(pane, at))
		at = draw_json_token(pane, pen, at, &depth);
	cli_pen_newline(pen);
}

/* ---------------------------------------------------------------------- hex */

/* Columns that a line with so many bytes takes: "0000  " before them, three and
 * one for each. */
#define HEX_COLUMNS(count) (6 + (count)*4 + 1)

static void draw_hex_line(const struct view_pane *pane, struct cli_pen *pen,
                          size_t at, unsigned width)
{
	size_t size = pane->frame.size_bytes;
	char text[24];

	(void)snprintf(text, sizeof(text), "%04zx  ", at);
	cli_pen_styled(pen, CLI_STYLE_CURSOR, text);
	for (size_t i = at; i < at + width && i < size; i++) {
		bool shown = pane->text == pane->payload;

		(void)snprintf(text, sizeof(text), "%02x ", pane->payload[i]);
		cli_pen_styled(pen, shown ? style_at(pane, i) : 0, text);
	}
	cli_pen_to(pen, pen->left + 6 + width * 3 + 1);
	for (size_t i = at; i < at + width && i < size; i++) {
		unsigned char byte = pane->payload[i];
		bool shown = pane->text == pane->payload;

		text[0] = byte >= ' ' && byte < 127 ? (char)byte : '.';
		text[1] = '\0';
		cli_pen_styled(pen, shown ? style_at(pane, i) : 0, text);
	}
}

static void draw_hex(const struct view_pane *pane, struct cli_pen *pen)
{
	unsigned width = 32;

	while (width > 4 && HEX_COLUMNS(width) > pen->right - pen->left)
		width /= 2;
	for (size_t at = 0; at < pane->frame.size_bytes; at += width) {
		if (pen->row >= pen->top && pen->row < pen->bottom)
			draw_hex_line(pane, pen, at, width);
		cli_pen_newline(pen);
	}
}

/* ------------------------------------------------------------------- fields */

static void draw_field(struct cli_pen *pen, size_t offset, size_t size,
                       unsigned level, struct cli_json_span name)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%5zu %5zu  ", offset, size);
	cli_pen_styled(pen, CLI_STYLE_CURSOR, text);
	cli_pen_to(pen, pen->column + level * INDENT);
	pen->look.style = CLI_STYLE_KEY;
	cli_pen_bytes(pen, name.bytes, name.size_bytes);
	pen->look.style = CLI_STYLE_PLAIN;
}

static void draw_value(const struct view_pane *pane, struct cli_pen *pen,
                       struct cli_json_span value)
{
	size_t from = (size_t)(value.bytes - pane->text);

	draw_bytes(pane, pen, from, from + value.size_bytes);
}

/* The fields of a struct, whose JSON the scan is before: its members have the
 * order of the fields. */
static void draw_struct(const struct view_pane *pane, struct cli_pen *pen,
                        const struct cli_bendec_type *type, size_t offset,
                        unsigned level, struct cli_json_scan *scan)
{
	struct cli_json_span name;

	cli_json_enter(scan);
	for (size_t i = 0; cli_json_next_member(scan, &name); i++) {
		const struct cli_bendec_field *field =
			i < type->field_count ? &type->fields[i] : NULL;
		size_t at = offset +
		            (field != NULL ? field->offset : type->size_bytes);
		size_t size = field != NULL ? field->type->size_bytes
		                            : pane->frame.size_bytes - at;

		draw_field(pen, at, size, level, name);
		if (field != NULL && field->type->kind == CLI_BENDEC_STRUCT &&
		    level < FIELD_LEVELS) {
			cli_pen_format(pen, ": %s", field->type_name);
			cli_pen_newline(pen);
			draw_struct(pane, pen, field->type, at, level + 1,
			            scan);
			continue;
		}
		if (field != NULL && field->length > 0)
			cli_pen_format(pen,
			               ": %s[%" PRIu32 "] = ", field->type_name,
			               field->length);
		else if (field != NULL)
			cli_pen_format(pen, ": %s = ", field->type_name);
		else
			cli_pen_string(pen, " = ");
		draw_value(pane, pen, cli_json_take_value(scan));
		cli_pen_newline(pen);
	}
}

static void draw_fields(const struct view_pane *pane, struct cli_pen *pen)
{
	struct cli_json_scan scan;

	cli_pen_styled(pen, CLI_STYLE_HEADER, "   at  size  ");
	cli_pen_styled(pen, CLI_STYLE_HEADER,
	               pane->type->name != NULL ? pane->type->name : "");
	cli_pen_newline(pen);
	cli_json_begin(&scan, (const char *)pane->text, pane->text_bytes);
	draw_struct(pane, pen, pane->type, 0, 0, &scan);
}

/* --------------------------------------------------------------------- pane */

size_t view_pane_draw(struct view_pane *pane, struct cli_pen pen)
{
	long first = pen.row;
	bool as_json = pane->mode == VIEW_JSON || pane->mode == VIEW_FIELDS;

	pen.wraps = true;
	if (pane->mode == VIEW_HEX) {
		draw_hex(pane, &pen);
	} else if (pane->mode == VIEW_FIELDS && pane->type != NULL &&
	           pane->is_json) {
		draw_fields(pane, &pen);
	} else if (pane->mode == VIEW_JSON && pane->is_json) {
		draw_json(pane, &pen);
	} else {
		if (as_json) {
			cli_pen_styled(&pen, CLI_STYLE_GAP, pane->why_not);
			cli_pen_newline(&pen);
		}
		draw_text(pane, &pen);
	}
	return (size_t)(pen.row - first);
}
