/*
 * What writing, reading and waking cost through the library: one round at a
 * time, each on a log of its own.
 */
#ifndef CLI_MEASURE_H
#define CLI_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a round does. */
struct cli_load {
	const char *folder;   /* of the log */
	size_t payload_bytes; /* of each event */
	uint64_t events;
	size_t batch_frames; /* per commit, or per call of the reader; with 1
	                      * it is shmlog_reader_next() */
	bool touched;        /* the log's space is allocated and in the page
	                      * tables before the clock runs; else that is
	                      * part of what is measured */
};

/* Bytes of the log that a round makes; 0 if there is no such number. */
uint64_t cli_load_capacity(size_t payload_bytes, uint64_t events);

/*
 * Each runs a round and stores how long it took.  CLI_OK, or the exit status
 * after a message.  What was written is proved to be there.
 */
int cli_measure_write(const struct cli_load *load, uint64_t *ns_out);
int cli_measure_read(const struct cli_load *load, uint64_t *ns_out);

/*
 * A second process sleeps until this one commits and wakes it: stores for
 * each event the time from just before the commit until the other process
 * has the frame.
 */
#define CLI_WAKE_PAYLOAD_BYTES 64u
int cli_measure_wake(const char *folder, uint64_t events,
                     uint64_t *latencies_ns_out);

#endif
