/*
 * Recognising a payload of over 65,531 bytes whose size a careless writer let
 * wrap round the 16 bits of a size word.
 */
#ifndef SHMLOG_WRAP_H
#define SHMLOG_WRAP_H

#include <shmlog.h>
#include <stdint.h>

/*
 * Sets fault->wrapped_payload_bytes if the frame at fault->cursor, met going
 * forwards, makes sense as a longer one: both words alike, 65,536 or a
 * multiple of it further apart than they say, and a whole frame or the end of
 * the committed data behind.  `committed` is a cursor.
 */
void shmlog_suspect_wrap(int fd, uint64_t data_offset, uint64_t committed,
                         struct shmlog_fault *fault);

#endif
