/*
 * A terminal as a screen of cells, by ncursesw.
 *
 * ncurses has one screen for each process, so the state is global.  The
 * terminal is in raw mode: ^C, ^Z and ^\ are keys, which the command answers,
 * and a signal is one that another process has sent.
 */
#include "screen.h"

#include "command.h"
#include "message.h"

#ifdef SHMLOG_NCURSES

#include "base64.h"
#include "signals.h"

#define NCURSES_NOMACROS
#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

/* <term.h> gives this name to a capability. */
#undef columns

/* How long the rest of an escape sequence may take behind its first byte. */
#define ESCAPE_MS 50
#define NS_PER_MS 1000000
#define CLIPBOARD_MAX 4096u

/* Signals that do not end a process by default.  All others do, and there are
 * more of them than one system's names. */
static const int harmless_signals[] = {
	SIGCHLD, SIGURG, SIGWINCH, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU,
};

/* Global, as ncurses itself is, and as a handler of signals has no other way
 * to share data. */
static SCREEN *screen;
static FILE *keys;
static bool has_color;
static struct termios cooked; /* the terminal as it was */
static char restoring[256];   /* what restores it on the screen */
static size_t restoring_bytes;
static bool redraw_due;
static bool is_taken[NSIG]; /* signals that restore the terminal first */
static struct sigaction question_before; /* what SIGUSR1 did */

/* ------------------------------------------------------------------- start */

/* Adds a sequence to those that restore the terminal, without the pauses that
 * old terminals need. */
static void add_restoring(const char *sequence)
{
	if (sequence == NULL || sequence == (const char *)-1)
		return;
	while (*sequence != '\0' && restoring_bytes < sizeof(restoring)) {
		const char *end = strncmp(sequence, "$<", 2) == 0
		                          ? strchr(sequence, '>')
		                          : NULL;

		if (end != NULL)
			sequence = end + 1;
		else
			restoring[restoring_bytes++] = *sequence++;
	}
}

static char *capability(const char *name)
{
	char *text = tigetstr((char *)(uintptr_t)name);

	return text == (char *)-1 ? NULL : text;
}

static void prepare_restoring(void)
{
	restoring_bytes = 0;
	add_restoring("\033[?1000l\033[?1006l");
	add_restoring(capability("sgr0"));
	add_restoring(capability("op"));
	add_restoring(capability("rmkx"));
	add_restoring(capability("cnorm"));
	add_restoring(capability("rmcup"));
}

/* Restores the terminal by calls that a handler may make. */
static void restore_terminal(void)
{
	ssize_t ignored = write(STDOUT_FILENO, restoring, restoring_bytes);

	(void)ignored;
	(void)tcsetattr(fileno(keys), TCSANOW, &cooked);
}

static void restore_and_die(int signal_number)
{
	restore_terminal();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static bool is_harmless(int signal_number)
{
	bool found = false;

	for (size_t i = 0;
	     i < sizeof(harmless_signals) / sizeof(harmless_signals[0]); i++)
		found |= harmless_signals[i] == signal_number;
	return found;
}

/* Takes the signals that would end the process with the terminal as it is.
 * Those that are ignored or caught have another use. */
static void take_signals(void)
{
	struct sigaction restoring_it = {.sa_handler = restore_and_die};
	struct sigaction ignoring = {.sa_handler = SIG_IGN};

	sigemptyset(&restoring_it.sa_mask);
	sigemptyset(&ignoring.sa_mask);
	/* It asks other commands how far they are; a screen shows that. */
	sigaction(SIGUSR1, &ignoring, &question_before);
	for (int i = 1; i < NSIG; i++) {
		struct sigaction before;

		/* Some cannot be caught, or are the C library's own. */
		is_taken[i] = !is_harmless(i) &&
		              sigaction(i, NULL, &before) == 0 &&
		              before.sa_handler == SIG_DFL &&
		              sigaction(i, &restoring_it, NULL) == 0;
	}
	cli_signals_restore_before_end(restore_terminal);
}

static void give_signals_back(void)
{
	cli_signals_restore_before_end(NULL);
	for (int i = 1; i < NSIG; i++) {
		if (is_taken[i])
			signal(i, SIG_DFL);
	}
	sigaction(SIGUSR1, &question_before, NULL);
}

static void begin_colors(const struct cli_color *color)
{
	static const short colors[] = {
		[CLI_STYLE_KEY] = COLOR_BLUE,
		[CLI_STYLE_STRING] = COLOR_GREEN,
		[CLI_STYLE_NUMBER] = COLOR_CYAN,
		[CLI_STYLE_WORD] = COLOR_MAGENTA,
		[CLI_STYLE_MATCH] = COLOR_RED,
		[CLI_STYLE_CURSOR] = COLOR_YELLOW,
		[CLI_STYLE_HEADER] = -1,
		[CLI_STYLE_GAP] = COLOR_CYAN,
		[CLI_STYLE_LOG] = COLOR_CYAN,
		[CLI_STYLE_LOG + 1] = COLOR_YELLOW,
		[CLI_STYLE_LOG + 2] = COLOR_MAGENTA,
		[CLI_STYLE_LOG + 3] = COLOR_GREEN,
		[CLI_STYLE_LOG + 4] = COLOR_BLUE,
		[CLI_STYLE_LOG + 5] = COLOR_RED,
	};
	short ground = -1;

	has_color = color->on && has_colors() && start_color() == OK;
	if (!has_color)
		return;
	if (use_default_colors() != OK)
		ground = COLOR_BLACK;
	for (size_t i = 1; i < sizeof(colors) / sizeof(colors[0]); i++)
		init_pair((short)i,
		          colors[i] < 0 && ground >= 0 ? (short)COLOR_WHITE
		                                       : colors[i],
		          ground);
}

/* Where keys come from. */
static int open_keys(bool from_tty)
{
	int fd = -1;

	if (!from_tty && isatty(STDIN_FILENO) == 1)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	keys = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (keys == NULL && fd >= 0)
		close(fd);
	return keys != NULL ? 0 : -1;
}

static int refuse(const char *why, const char *instead)
{
	return cli_usage_error("%s: use %s", why, instead);
}

/* Whether the terminal's description has what a screen needs. */
static bool can_place_cursor(void)
{
	int error;

	if (setupterm(NULL, STDOUT_FILENO, &error) != OK)
		return false;
	bool can = capability("cup") != NULL && capability("clear") != NULL;

	/* The screen reads a description of its own. */
	(void)del_curterm(cur_term);
	return can;
}

static void begin_modes(const struct cli_color *color)
{
	raw();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	leaveok(stdscr, FALSE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0);
	begin_colors(color);
	redraw_due = true;
}

int cli_screen_check(const char *instead)
{
	if (isatty(STDOUT_FILENO) != 1)
		return refuse("standard output is no terminal", instead);
	if (!can_place_cursor())
		return refuse("this terminal ($TERM) shows no screen", instead);
	return CLI_OK;
}

int cli_screen_open(const struct cli_color *color, bool keys_from_tty,
                    const char *instead)
{
	int status = cli_screen_check(instead);

	if (status != CLI_OK)
		return status;
	if (open_keys(keys_from_tty) != 0)
		return refuse("there is no terminal to take keys from",
		              instead);
	cli_cells_locale();
	(void)tcgetattr(fileno(keys), &cooked);
	screen = newterm(NULL, stdout, keys);
	if (screen == NULL) {
		fclose(keys);
		return refuse("this terminal ($TERM) shows no screen", instead);
	}
	/* The terminal's description is that of the screen now. */
	prepare_restoring();
	take_signals();
	cli_signals_defer_stop(true);
	begin_modes(color);
	return CLI_OK;
}

void cli_screen_close(void)
{
	if (screen == NULL)
		return;
	endwin();
	give_signals_back();
	delscreen(screen);
	screen = NULL;
	fclose(keys);
	cli_signals_defer_stop(false);
}

/* ------------------------------------------------------------------ output */

void cli_screen_size(unsigned *rows_out, unsigned *columns_out)
{
	*rows_out = (unsigned)getmaxy(stdscr);
	*columns_out = (unsigned)getmaxx(stdscr);
}

static attr_t attributes_of(struct cli_look look)
{
	attr_t attributes = A_NORMAL;

	if ((look.attributes & CLI_CELL_REVERSE) != 0)
		attributes |= A_REVERSE;
	if ((look.attributes & CLI_CELL_BOLD) != 0)
		attributes |= A_BOLD;
	if ((look.attributes & CLI_CELL_DIM) != 0)
		attributes |= A_DIM;
	if ((look.attributes & CLI_CELL_UNDERLINE) != 0)
		attributes |= A_UNDERLINE;
	switch (look.style) {
	case CLI_STYLE_MATCH:
		return attributes | A_BOLD |
		       (has_color ? A_NORMAL : A_UNDERLINE);
	case CLI_STYLE_KEY:
	case CLI_STYLE_HEADER: return attributes | A_BOLD;
	default:
		return look.style >= CLI_STYLE_LOG ? attributes | A_BOLD
		                                   : attributes;
	}
}

static void show_cell(int row, int column, const struct cli_screen_cell *cell)
{
	wchar_t text[CLI_CELL_POINTS + 1] = {0};
	cchar_t shown;

	for (size_t i = 0; i < CLI_CELL_POINTS; i++)
		text[i] = (wchar_t)cell->points[i];
	if (setcchar(&shown, text, attributes_of(cell->look),
	             has_color ? (short)cell->look.style : 0, NULL) == OK)
		(void)mvadd_wch(row, column, &shown);
}

void cli_screen_show(const struct cli_cells *cells)
{
	int rows = getmaxy(stdscr), columns = getmaxx(stdscr);

	for (int row = 0; row < rows && row < (int)cells->rows; row++) {
		for (int column = 0;
		     column < columns && column < (int)cells->columns;
		     column++) {
			size_t place = (size_t)row * cells->columns +
			               (size_t)column;

			if (cells->cells[place].points[0] != 0)
				show_cell(row, column, &cells->cells[place]);
		}
	}
	curs_set(cells->cursor_on ? 1 : 0);
	if (cells->cursor_on)
		(void)move((int)cells->cursor_row, (int)cells->cursor_column);
	if (redraw_due)
		clearok(curscr, TRUE);
	redraw_due = false;
	refresh();
}

void cli_screen_redraw(void)
{
	redraw_due = true;
}

void cli_screen_copy(const char *text)
{
	size_t size = strlen(text);
	char encoded[CLIPBOARD_MAX];

	if (cli_base64_size(size) > sizeof(encoded))
		return;
	size = cli_base64_encode(encoded, (const unsigned char *)text, size);
	fprintf(stdout, "\033]52;c;%.*s\a", (int)size, encoded);
	(void)fflush(stdout);
}

/* -------------------------------------------------------------------- keys */

void cli_screen_stop(void)
{
	/* All processes of the job, as the terminal does it for ^Z. */
	if (!cli_signals_stop_asked())
		kill(0, SIGTSTP);
	endwin();
	cli_signals_defer_stop(false);
	cli_signals_defer_stop(true);
	redraw_due = true;
}

/* Follows the size of the terminal, also where no signal told of it. */
static bool has_resized(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 ||
	    size.ws_col == 0 ||
	    (size.ws_row == getmaxy(stdscr) && size.ws_col == getmaxx(stdscr)))
		return false;
	resizeterm(size.ws_row, size.ws_col);
	redraw_due = true;
	return true;
}

static struct cli_key_event mouse_event(void)
{
	struct cli_key_event event = {.key = CLI_KEY_OTHER};
	MEVENT mouse;

	if (getmouse(&mouse) != OK)
		return event;
	event.row = (unsigned)mouse.y;
	event.column = (unsigned)mouse.x;
	if ((mouse.bstate & BUTTON4_PRESSED) != 0)
		event.key = CLI_KEY_WHEEL_UP;
	else if ((mouse.bstate & BUTTON5_PRESSED) != 0)
		event.key = CLI_KEY_WHEEL_DOWN;
	else if ((mouse.bstate & BUTTON1_PRESSED) != 0)
		event.key = CLI_KEY_CLICK;
	return event;
}

static uint32_t name_key(wint_t code)
{
	switch (code) {
	case KEY_UP: return CLI_KEY_UP;
	case KEY_DOWN: return CLI_KEY_DOWN;
	case KEY_LEFT: return CLI_KEY_LEFT;
	case KEY_RIGHT: return CLI_KEY_RIGHT;
	case KEY_PPAGE: return CLI_KEY_PAGE_UP;
	case KEY_NPAGE: return CLI_KEY_PAGE_DOWN;
	case KEY_HOME: return CLI_KEY_HOME;
	case KEY_END: return CLI_KEY_END;
	case KEY_DC: return CLI_KEY_DELETE;
	case KEY_BACKSPACE: return CLI_KEY_BACKSPACE;
	case KEY_BTAB: return CLI_KEY_BACK_TAB;
	case KEY_ENTER: return CLI_KEY_ENTER;
	case KEY_RESIZE: return CLI_KEY_RESIZE;
	default: return CLI_KEY_OTHER;
	}
}

/* A key that has come already. */
static struct cli_key_event take_key(void)
{
	struct cli_key_event event = {.key = CLI_KEY_NONE};
	wint_t code;
	int result = get_wch(&code);

	if (result == KEY_CODE_YES && code == KEY_MOUSE)
		return mouse_event();
	if (result == KEY_CODE_YES)
		event.key = name_key(code);
	else if (result == OK && code == '\r')
		event.key = CLI_KEY_ENTER;
	else if (result == OK && (code == 127 || code == 8))
		event.key = CLI_KEY_BACKSPACE;
	else if (result == OK)
		event.key = code == 0 ? CLI_KEY_OTHER : (uint32_t)code;
	if (event.key == CLI_KEY_RESIZE)
		redraw_due = true;
	return event;
}

struct cli_key_event cli_screen_key(int64_t wait_ns)
{
	struct pollfd terminal = {.fd = fileno(keys), .events = POLLIN};
	struct cli_key_event event = {.key = CLI_KEY_NONE};
	int64_t wait_ms = (wait_ns + NS_PER_MS - 1) / NS_PER_MS;

	if (cli_signal_caught() != 0)
		return (struct cli_key_event){.key = CLI_KEY_GONE};
	if (has_resized())
		return (struct cli_key_event){.key = CLI_KEY_RESIZE};
	if (cli_signals_stop_asked()) {
		cli_screen_stop();
		return (struct cli_key_event){.key = CLI_KEY_RESIZE};
	}
	event = take_key();
	if (event.key != CLI_KEY_NONE)
		return event;
	if (poll(&terminal, 1, (int)wait_ms) <= 0)
		return event;
	/* A terminal that is closed can be read for ever. */
	if ((terminal.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		event.key = CLI_KEY_GONE;
	else
		event = take_key();
	return event;
}

#else

int cli_screen_check(const char *instead)
{
	cli_message(NULL,
	            "this shmlog was built without ncursesw: install "
	            "libncurses-dev and build it again, or use %s",
	            instead);
	return CLI_SYSTEM;
}

int cli_screen_open(const struct cli_color *color, bool keys_from_tty,
                    const char *instead)
{
	(void)color;
	(void)keys_from_tty;
	return cli_screen_check(instead);
}

void cli_screen_close(void)
{
}

void cli_screen_size(unsigned *rows_out, unsigned *columns_out)
{
	*rows_out = *columns_out = 0;
}

void cli_screen_show(const struct cli_cells *cells)
{
	(void)cells;
}

void cli_screen_redraw(void)
{
}

struct cli_key_event cli_screen_key(int64_t wait_ns)
{
	(void)wait_ns;
	return (struct cli_key_event){.key = CLI_KEY_GONE};
}

void cli_screen_stop(void)
{
}

void cli_screen_copy(const char *text)
{
	(void)text;
}

#endif
