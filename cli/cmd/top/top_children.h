/* Running other commands of this program for top, so that each thing is done in
 * one way wherever it is asked for. */
#ifndef TOP_CHILDREN_H
#define TOP_CHILDREN_H

#include <stddef.h>

/* Runs `shmlog` with these arguments, NULL behind them, on the terminal, which
 * must not be open as a screen.  Its exit status, 128 and the number of the
 * signal that ended it, or -errno. */
int top_run_here(const char *const *arguments);

/* Runs it without input; the lines that it prints are stored in `said`, with
 * "; " between them.  The same results. */
int top_run_quietly(const char *const *arguments, char *said,
                    size_t said_bytes);

/* Says who has a log open: "nobody is seen to have it open", or "pid 7 ('node
 * x.js') writes it, ...". */
void top_name_holders(const char *path, char *out, size_t out_bytes);

#endif
