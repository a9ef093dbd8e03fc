/*
 * Prints frames as records of CSV (RFC 4180).  A record ends in a newline
 * alone: programs that read CSV take that as well as CR and LF, and the tools
 * that go by lines would take the CR for a part of the last cell.
 */
#include "out_formats.h"

#include "output_format.h"

#include <string.h>

static bool needs_quotes(struct cli_cell cell)
{
	for (size_t i = 0; i < cell.size_bytes; i++) {
		if (memchr(",\"\r\n", cell.bytes[i], 4) != NULL)
			return true;
	}
	/* An empty string differs from no value at all. */
	return cell.size_bytes == 0;
}

/* In quotes, where each quote is doubled. */
static void put_quoted(const struct cli_renderer *renderer,
                       struct cli_output *output, struct cli_cell cell)
{
	const unsigned char *at = cell.bytes, *end = at + cell.size_bytes;

	cli_output_string(output, "\"");
	while (at < end) {
		const unsigned char *quote = memchr(at, '"',
		                                    (size_t)(end - at));
		const unsigned char *stop = quote != NULL ? quote : end;

		cli_render_bytes(renderer, output, at, (size_t)(stop - at));
		if (quote != NULL)
			cli_output_string(output, "\"\"");
		at = quote != NULL ? quote + 1 : end;
	}
	cli_output_string(output, "\"");
}

static void put_cell(const struct cli_renderer *renderer,
                     struct cli_output *output, struct cli_cell cell)
{
	if (cell.bytes == NULL)
		return;
	if (needs_quotes(cell))
		put_quoted(renderer, output, cell);
	else
		cli_render_bytes(renderer, output, cell.bytes, cell.size_bytes);
}

void cli_out_csv_heading(const struct cli_renderer *renderer,
                         struct cli_output *output)
{
	const struct cli_column_source *columns = renderer->columns;

	for (size_t i = 0; i < columns->count; i++) {
		const char *name = columns->names[i];

		if (i > 0)
			cli_output_string(output, ",");
		put_cell(renderer, output,
		         (struct cli_cell){(const unsigned char *)name,
		                           strlen(name)});
	}
	cli_output_string(output, "\n");
}

void cli_out_csv(const struct cli_renderer *renderer, struct cli_output *output,
                 const struct shmlog_frame *frame)
{
	struct cli_column_source *columns = renderer->columns;
	const struct cli_cell *cells = columns->find(columns, frame);

	for (size_t i = 0; i < columns->count; i++) {
		if (i > 0)
			cli_output_string(output, ",");
		put_cell(renderer, output, cells[i]);
	}
	/* A line without a byte would be no record. */
	if (columns->count == 1 && cells[0].bytes == NULL)
		cli_output_string(output, "\"\"");
	cli_output_string(output, "\n");
}
