/*
 * All tests of readers, with the inlined function in place of the call: it
 * keeps every promise that the call keeps.
 */
#include "support.h"

#define shmlog_reader_next(reader, frame_out) \
	shmlog_fast_next(shmlog_reader_fast(reader), (frame_out))

#include "test_reader.c"
