/*
 * Recognising a payload of over 65,531 bytes whose size a careless writer let
 * wrap round the 16 bits of a size word.
 */
#ifndef SHMLOG_WRAP_H
#define SHMLOG_WRAP_H

#include <shmlog.h>
#include <stdint.h>

/*
 * Sets fault->wrapped_payload_bytes if the bytes from fault->cursor up to the
 * cursor `end`, which are no good frames, make sense as a longer one: both
 * words name its size as far as they can.  0, -errno or
 * SHMLOG_ERR_MAPPING_GONE.
 */
int shmlog_name_wrap(int fd, uint64_t data_offset, uint64_t end,
                     struct shmlog_fault *fault);

/*
 * The same for the bad frame at fault->cursor, met going forwards, where it is
 * not known yet where good ones go on.  Looks at some 400 KB behind it, and
 * takes 10 MiB and some milliseconds if a word there may end such a payload.
 * `committed` is a cursor.
 */
void shmlog_suspect_wrap(int fd, uint64_t data_offset, uint64_t committed,
                         struct shmlog_fault *fault);

#endif
