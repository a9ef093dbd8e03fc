/*
 * Progress of work that may take long: a line on the terminal that is erased in
 * the end, or JSON for programs.  A program can ask for it at any time by
 * SIGUSR1, or SIGINFO where the system has that.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One piece of work, kept by who does it. */
struct cli_progress {
	const char *subject; /* what is worked on: a path, or NULL */
	uint64_t done;       /* bytes, */
	uint64_t total;      /* of so many; 0: nobody knows of how many */
	const char *note; /* what is done now, where that must be said; NULL */
	bool is_apart;    /* that is no part of `done`, and nobody knows how
	                      * long it takes */
	int64_t start_ns;
	int64_t due_ns; /* when it is to be shown next */
	/* When it was looked at last, what was done then, and how many bytes
	 * a second were of late. */
	int64_t seen_ns;
	uint64_t seen;
	double rate;
	/* When the clock was read last, how often in a row that was soon, and
	 * how many calls have passed without. */
	int64_t clock_ns;
	unsigned soon;
	unsigned skipped;
	struct cli_progress *outer; /* work that this is a part of */
};

/*
 * Reads the value of --progress: auto, always, never or json; NULL for auto,
 * which means a terminal that is not said to be dumb ($TERM) on standard error
 * and no pipe on standard output.  From then on SIGUSR1 is answered.  CLI_OK,
 * or CLI_USAGE after a message.  Without this call no progress is shown.
 */
int cli_progress_init(const char *value);

/* With "auto", shows no line after all: the output itself shows how far the
 * command is. */
void cli_progress_forgo(void);

/*
 * Begins work on `subject`, which must stay; the total may be set later.  It is
 * shown once it has taken a second; with "auto" only if its total is known, as
 * what has no end is no long work.
 */
void cli_progress_begin(struct cli_progress *progress, const char *subject,
                        uint64_t total);

/* Says how much is done: cheap enough for each batch of frames. */
void cli_progress_set(struct cli_progress *progress, uint64_t done);

/* Ends it and erases the line; `finished` if all was done, rather than broken
 * off.  Does nothing for work that has not begun, and where it has ended
 * already. */
void cli_progress_end(struct cli_progress *progress, bool finished);

/* The line, of at most `columns` columns; the rate is as the last look has
 * found it.  Returns the buffer. */
struct cli_progress_text {
	char text[1024];
};
const char *cli_progress_describe(struct cli_progress_text *buffer,
                                  const struct cli_progress *progress,
                                  int64_t now_ns, size_t columns);

/* Takes a look: works out the rate. */
void cli_progress_look(struct cli_progress *progress, int64_t now_ns);

/* The JSON of it, freed with free(3); NULL without the memory. */
char *cli_progress_json(const struct cli_progress *progress, int64_t now_ns,
                        bool finished);

#endif
