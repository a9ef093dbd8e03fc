/* The functions of the input formats, for the table in input_format.c and for
 * each other. */
#ifndef CLI_IN_FORMATS_H
#define CLI_IN_FORMATS_H

#include "record.h"

struct cli_input_format;

/* in_lines.c: records that a byte ends (lines, nul, json, envelope). */
enum cli_split cli_in_delimited_split(const struct cli_input_format *format,
                                      size_t longest,
                                      const unsigned char *bytes,
                                      size_t size_bytes, bool at_end,
                                      struct cli_record *record_out);
void cli_in_delimited_frame(const struct cli_input_format *format,
                            const unsigned char *bytes, size_t size_bytes,
                            struct cli_framing *framing);
/* Frames such records as long as `accepts` takes them. */
void cli_in_accepted_frame(const struct cli_input_format *format,
                           bool (*accepts)(const unsigned char *bytes,
                                           size_t size_bytes),
                           const unsigned char *bytes, size_t size_bytes,
                           struct cli_framing *framing);

/* in_json.c: lines that are JSON. */
enum cli_convert cli_in_json_convert(const struct cli_record *record,
                                     unsigned char *scratch,
                                     struct cli_payload *payload_out);
void cli_in_json_frame(const struct cli_input_format *format,
                       const unsigned char *bytes, size_t size_bytes,
                       struct cli_framing *framing);
/* Whether a record holds nothing but JSON's blanks. */
bool cli_in_is_blank(const struct cli_record *record);

/* in_envelope.c: lines that are envelopes. */
enum cli_convert cli_in_envelope_convert(const struct cli_record *record,
                                         unsigned char *scratch,
                                         struct cli_payload *payload_out);

/* in_frames.c: the log's own bytes. */
enum cli_split cli_in_frames_split(const struct cli_input_format *format,
                                   size_t longest, const unsigned char *bytes,
                                   size_t size_bytes, bool at_end,
                                   struct cli_record *record_out);
void cli_in_frames_frame(const struct cli_input_format *format,
                         const unsigned char *bytes, size_t size_bytes,
                         struct cli_framing *framing);

/* in_whole.c: all of an input is one record. */
enum cli_split cli_in_whole_split(const struct cli_input_format *format,
                                  size_t longest, const unsigned char *bytes,
                                  size_t size_bytes, bool at_end,
                                  struct cli_record *record_out);

#endif
