/*
 * All tests of the writer, with the inlined functions in place of the calls:
 * they keep every promise that the calls keep.
 */
#include "support.h"

#define shmlog_writer_allocate(writer, size_bytes, payload_out)        \
	shmlog_fast_allocate(shmlog_writer_fast(writer), (size_bytes), \
	                     (payload_out))
#define shmlog_writer_commit(writer) \
	shmlog_fast_commit(shmlog_writer_fast(writer))

#include "test_writer.c"
