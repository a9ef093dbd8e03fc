/*
 * The columns of a format that has some: the option --columns, whose paths are
 * those of --where, or all fields of the type that frames have.
 */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include "options.h"
#include "printer.h"
#include "type_arguments.h"

#include <stddef.h>

/* The option, for a command's table. */
#define CLI_COLUMNS_OPTION(place)             \
	[place] = {.name = "columns",         \
	           .value = "PATHS",          \
	           .kind = &cli_takes_fields, \
	           .help = "the columns of csv, as .id,.a.b"}

struct cli_columns;

/*
 * Reads the option, and gives the printer, which must stay, its columns; NULL
 * in *columns_out if its format has none.  CLI_OK, or an exit status after a
 * message.
 */
int cli_columns_init(struct cli_columns **columns_out,
                     const struct cli_args *args, size_t place,
                     struct cli_printer *printer);
/* The same for a list of paths, or NULL for all fields of the type. */
int cli_columns_of(struct cli_columns **columns_out, const char *list,
                   struct cli_printer *printer);
void cli_columns_free(struct cli_columns *columns);

#endif
