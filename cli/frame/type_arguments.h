/* The kinds of values that a schema tells, for the tables of options;
 * completion goes by them. */
#ifndef CLI_TYPE_ARGUMENTS_H
#define CLI_TYPE_ARGUMENTS_H

#include "completion.h"

/* A type that the files of --schema define, and the path of a field of the one
 * that --type names; several of them with commas. */
extern const struct cli_argument_kind cli_takes_type;
extern const struct cli_argument_kind cli_takes_field;
extern const struct cli_argument_kind cli_takes_fields;
/* A file of definitions, or behind the first one a type. */
extern const struct cli_argument_kind cli_takes_schema_or_type;

#endif
