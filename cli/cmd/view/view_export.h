/*
 * Writing frames to a new file, in any output format.  What is to be said of it
 * goes through message.h.
 */
#ifndef VIEW_EXPORT_H
#define VIEW_EXPORT_H

#include "view_scan.h"

struct view_export;

/* Takes the format, "" for the default, and the range.  `path`, the log's, and
 * `typed` must stay.  NULL after a message that says why not. */
struct view_export *view_export_new(const char *path,
                                    const struct cli_typed *typed,
                                    const char *format, uint64_t begin,
                                    uint64_t end);
void view_export_free(struct view_export *export);

/* Whether the columns of CSV have to be named, and names them: "" for all
 * fields of the type.  False after a message. */
bool view_export_needs_columns(const struct view_export *export);
bool view_export_set_columns(struct view_export *export, const char *list);

/* Creates the file.  False after a message. */
bool view_export_begin(struct view_export *export, struct view_source *source,
                       const char *file);

/* Writes on until that time, frames that pass alone.  Whether there is more to
 * do; if not, there was a message. */
bool view_export_work(struct view_export *export, struct view_judge *judge,
                      int64_t until_ns);

/* Ends it early, and frees it: the file is removed. */
void view_export_stop(struct view_export *export);

/* Which share is done, of 1. */
double view_export_share(const struct view_export *export);

#endif
