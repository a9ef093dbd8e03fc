/* What a measurement was made on. */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* The system's own texts; "unknown" where it does not tell. */
struct cli_machine {
	char cpu[128];         /* the model's name */
	char architecture[72]; /* "x86_64" */
	char kernel[144];      /* "Linux 6.1.0-18-amd64" */
	uint64_t cores;        /* that are online */
};

void cli_machine_describe(struct cli_machine *machine_out);

/* The type of the file system that a path lies on: "tmpfs". */
struct cli_file_system {
	char type[64];
};
const char *cli_describe_file_system(struct cli_file_system *buffer,
                                     const char *path);

#endif
