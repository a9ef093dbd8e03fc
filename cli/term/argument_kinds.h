/* The kinds of values that have to do with neither logs nor frames, for the
 * tables of options; completion goes by them. */
#ifndef CLI_ARGUMENT_KINDS_H
#define CLI_ARGUMENT_KINDS_H

#include "completion.h"

/* Anything: nobody can tell what. */
extern const struct cli_argument_kind cli_takes_text;
extern const struct cli_argument_kind cli_takes_number;
extern const struct cli_argument_kind cli_takes_size;
extern const struct cli_argument_kind cli_takes_duration;
extern const struct cli_argument_kind cli_takes_file;
extern const struct cli_argument_kind cli_takes_folder;
extern const struct cli_argument_kind cli_takes_shell_command;
extern const struct cli_argument_kind cli_takes_process;
extern const struct cli_argument_kind cli_takes_mode; /* of a file, in octal */

/* HOW of --follow: the name, or the descriptor. */
extern const struct cli_argument_kind cli_takes_follow;

/*
 * Offers what lies in the folder of the path at the cursor and begins as it
 * does: its folders, and unless `folders_only` its files.  With `wanted`, only
 * the files that it wants, which it is asked about unless they are many; and
 * all of them where nothing else is found.
 */
struct cli_path_choice {
	bool folders_only;
	bool (*wanted)(int folder, const char *name);
};
void cli_offer_paths(struct cli_completion *completion,
                     const struct cli_path_choice *choice);

#endif
