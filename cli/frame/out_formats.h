/* The functions of the output formats, for the table in output_format.c. */
#ifndef CLI_OUT_FORMATS_H
#define CLI_OUT_FORMATS_H

#include <stdbool.h>
#include <stddef.h>

struct cli_output;
struct cli_renderer;
struct shmlog_frame;

/* out_text.c: text and nul (the payload and one byte), raw, frames. */
void cli_out_ended(const struct cli_renderer *renderer,
                   struct cli_output *output, const struct shmlog_frame *frame);
bool cli_out_ended_batch(const struct cli_renderer *renderer,
                         struct cli_output *output,
                         const struct shmlog_frame *frames, size_t count);
void cli_out_raw(const struct cli_renderer *renderer, struct cli_output *output,
                 const struct shmlog_frame *frame);
void cli_out_frames(const struct cli_renderer *renderer,
                    struct cli_output *output,
                    const struct shmlog_frame *frame);

/* output_format.c: bytes escaped for a terminal. */
void cli_out_escaped(struct cli_output *output, const unsigned char *bytes,
                     size_t size_bytes);

/* out_json.c: the envelope. */
void cli_out_json(const struct cli_renderer *renderer,
                  struct cli_output *output, const struct shmlog_frame *frame);
bool cli_out_json_batch(const struct cli_renderer *renderer,
                        struct cli_output *output,
                        const struct shmlog_frame *frames, size_t count);
/* The envelope without its last brace, to be followed by more members. */
void cli_out_json_open(const struct cli_renderer *renderer,
                       struct cli_output *output,
                       const struct shmlog_frame *frame);

/* out_hex.c: as hexdump -C prints it, under a line with cursor and size. */
void cli_out_hex(const struct cli_renderer *renderer, struct cli_output *output,
                 const struct shmlog_frame *frame);

/* out_csv.c: a record of CSV, and the one that names the columns. */
void cli_out_csv(const struct cli_renderer *renderer, struct cli_output *output,
                 const struct shmlog_frame *frame);
void cli_out_csv_heading(const struct cli_renderer *renderer,
                         struct cli_output *output);

#endif
