/*
 * A terminal as a screen of cells, for the commands that take all of it: its
 * start, its keys, and its restoration on every way out.  screen.c is the only
 * user of ncursesw, without which no screen can be opened.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "color.h"
#include "screen_cells.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key: the code point of a character, or one of these.  Control characters
 * that have no name here come as they are. */
enum cli_key {
	CLI_KEY_NONE = 0,
	CLI_KEY_CTRL_C = 3,
	CLI_KEY_TAB = 9,
	CLI_KEY_ENTER = 10,
	CLI_KEY_CTRL_L = 12,
	CLI_KEY_CTRL_Z = 26,
	CLI_KEY_ESCAPE = 27,
	CLI_KEY_UP = 0x200000,
	CLI_KEY_DOWN,
	CLI_KEY_LEFT,
	CLI_KEY_RIGHT,
	CLI_KEY_PAGE_UP,
	CLI_KEY_PAGE_DOWN,
	CLI_KEY_HOME,
	CLI_KEY_END,
	CLI_KEY_DELETE,
	CLI_KEY_BACKSPACE,
	CLI_KEY_BACK_TAB,
	CLI_KEY_WHEEL_UP,
	CLI_KEY_WHEEL_DOWN,
	CLI_KEY_CLICK,  /* the first button of the mouse */
	CLI_KEY_RESIZE, /* the screen has another size */
	CLI_KEY_OTHER,  /* one without a meaning */
	/* The terminal is closed, or cli_signal_caught(): the command ends. */
	CLI_KEY_GONE,
};

struct cli_key_event {
	uint32_t key;
	unsigned row; /* of the mouse */
	unsigned column;
};

/*
 * Opens the screen on standard output.  Keys come from standard input, or from
 * /dev/tty where that is no terminal or `keys_from_tty` says that it is
 * something else.  The ending signals must be caught (signals.h).  `instead` is
 * the command that does the same without a screen, for the message.
 *
 * CLI_OK; CLI_USAGE after a message where there is no terminal that can do it;
 * CLI_SYSTEM after one where the program was built without ncursesw.
 */
int cli_screen_open(const struct cli_color *color, bool keys_from_tty,
                    const char *instead);
/* Restores the terminal.  Does nothing if no screen is open. */
void cli_screen_close(void);

/* The size as it is now. */
void cli_screen_size(unsigned *rows_out, unsigned *columns_out);

/* Shows cells; what the screen shows already is not sent again. */
void cli_screen_show(const struct cli_cells *cells);
/* Sends all of it again, over what others have written there. */
void cli_screen_redraw(void);

/*
 * Waits for a key, at most so long: CLI_KEY_NONE if none came.  SIGTSTP, which
 * the terminal or another process sends, stops the process here, with the
 * terminal restored meanwhile; CLI_KEY_RESIZE comes afterwards.
 */
struct cli_key_event cli_screen_key(int64_t wait_ns);
/* Stops the process as ^Z does. */
void cli_screen_stop(void);

/* Gives the terminal's clipboard a text (OSC 52); not every terminal takes it,
 * and none answers. */
void cli_screen_copy(const char *text);

#endif
