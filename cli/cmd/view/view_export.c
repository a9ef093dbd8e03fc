/* Writes frames to a new file. */
#include "view_export.h"

#include "clock.h"
#include "columns.h"
#include "command.h"
#include "message.h"
#include "printer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct view_export {
	struct cli_printer printer;
	struct cli_columns *columns; /* or NULL */
	bool has_output;
	char *file; /* its name, once it is created */
	uint64_t begin;
	uint64_t end;
	/* A reader of its own, which keeps count of the frames where it has
	 * begun with a number. */
	struct view_source source;
	struct view_scan scan;
	uint64_t frames;
	uint64_t damages; /* that were left out */
	uint64_t damaged_bytes;
};

void view_export_free(struct view_export *export)
{
	if (export == NULL)
		return;
	if (export->has_output) {
		int fd = export->printer.output.fd;

		cli_output_release(&export->printer.output);
		close(fd);
	}
	shmlog_reader_close(export->source.reader);
	cli_columns_free(export->columns);
	cli_renderer_release(&export->printer.renderer);
	free(export->file);
	free(export);
}

struct view_export *view_export_new(const char *path,
                                    const struct cli_typed *typed,
                                    const char *format, uint64_t begin,
                                    uint64_t end)
{
	struct view_export *export = calloc(1, sizeof(*export));
	struct cli_printer *printer;

	if (export == NULL) {
		cli_message(NULL, "not enough memory");
		return NULL;
	}
	printer = &export->printer;
	export->begin = begin;
	export->end = end;
	/* The types are the session's. */
	printer->typed = *typed;
	if (cli_renderer_init(&printer->renderer,
	                      *format != '\0' ? format : NULL, NULL,
	                      -1) != CLI_OK ||
	    cli_renderer_set_type(&printer->renderer, &printer->typed) !=
	            CLI_OK) {
		view_export_free(export);
		return NULL;
	}
	printer->heading_due = printer->renderer.format->heading != NULL;
	printer->path = path;
	return export;
}

bool view_export_needs_columns(const struct view_export *export)
{
	return export->printer.renderer.format->heading != NULL &&
	       export->columns == NULL;
}

bool view_export_set_columns(struct view_export *export, const char *list)
{
	return cli_columns_of(&export->columns, *list != '\0' ? list : NULL,
	                      &export->printer) == CLI_OK;
}

static bool begin_reading(struct view_source *source,
                          struct view_export *export)
{
	const struct shmlog_reader_options options = {
		.flags = SHMLOG_READER_BUFFERED,
	};
	uint64_t begin, number;

	if (!view_index_is_exact(&source->index, export->begin) ||
	    !view_source_locate(source, export->begin, &begin, &number) ||
	    begin != export->begin)
		number = VIEW_NO_NUMBER;
	export->source.log = source->log;
	return shmlog_reader_open(export->source.log, &options,
	                          &export->source.reader) == 0 &&
	       shmlog_reader_seek_known(export->source.reader, export->begin,
	                                number) == 0;
}

bool view_export_begin(struct view_export *export, struct view_source *source,
                       const char *file)
{
	int fd, error;

	if (*file == '\0') {
		cli_message(NULL, "not exported: no file was named");
		return false;
	}
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY,
	          0666);
	error = errno;
	if (fd < 0 && error == EEXIST) {
		cli_message(file, "exists: not exported, as nothing is "
		                  "written over");
		return false;
	}
	if (fd < 0) {
		(void)cli_system_failed(file, "cannot create", error);
		return false;
	}
	export->file = strdup(file);
	if (export->file == NULL ||
	    cli_output_init(&export->printer.output, fd) != 0) {
		cli_message(NULL, "not exported: not enough memory");
		close(fd);
		unlink(file);
		return false;
	}
	export->has_output = true;
	if (!begin_reading(source, export)) {
		unlink(file);
		cli_message(NULL, "not exported: the log cannot be read");
		return false;
	}
	export->scan = (struct view_scan){.cursor = export->begin};
	return true;
}

double view_export_share(const struct view_export *export)
{
	uint64_t all = export->end - export->begin;

	return all == 0 ? 1
	                : (double)(export->scan.cursor - export->begin) /
	                          (double)all;
}

void view_export_stop(struct view_export *export)
{
	if (export == NULL)
		return;
	if (export->file != NULL)
		unlink(export->file);
	cli_message(NULL, "the export was stopped, and its file removed");
	view_export_free(export);
}

/* All is written, or cannot be. */
static void finish(struct view_export *export)
{
	int result = cli_output_flush(&export->printer.output);
	uint64_t misfits = export->printer.typed.mismatches;
	char loss[96] = "";

	if (export->damages > 0)
		(void)snprintf(loss, sizeof(loss),
		               "; damage is left out: %" PRIu64
		               " bytes in %" PRIu64 " range%s",
		               export->damaged_bytes, export->damages,
		               export->damages == 1 ? "" : "s");

	if (result != 0) {
		unlink(export->file);
		cli_message(export->file,
		            "cannot write: %s; the file was removed",
		            strerror(-result));
	} else if (misfits > 0) {
		cli_message(export->file,
		            "%" PRIu64 " frames exported, %" PRIu64
		            " of which did not fit%s",
		            export->frames, misfits, loss);
	} else {
		cli_message(export->file,
		            "%" PRIu64 " frame%s exported as %s%s",
		            export->frames, export->frames == 1 ? "" : "s",
		            export->printer.renderer.format->name, loss);
	}
	view_export_free(export);
}

bool view_export_work(struct view_export *export, struct view_judge *judge,
                      int64_t until_ns)
{
	struct view_judge rows = *judge;

	rows.passes_damage = true;
	for (unsigned turn = 1; export->scan.cursor < export->end; turn++) {
		struct shmlog_frame frame;
		struct view_row row;
		enum view_found found = view_scan_next(&export->scan,
		                                       &export->source, &rows,
		                                       until_ns, &row, &frame);

		if (found == VIEW_LATER)
			return true;
		if (found != VIEW_FOUND || row.cursor >= export->end)
			break;
		if (row.is_damage) {
			export->damages++;
			export->damaged_bytes += row.next_cursor - row.cursor;
		} else {
			cli_printer_frames(&export->printer, &frame, 1);
			export->frames++;
		}
		if (export->printer.output.error != 0)
			break;
		if (turn % 64 == 0 && cli_now_ns() > until_ns)
			return true;
	}
	finish(export);
	return false;
}
