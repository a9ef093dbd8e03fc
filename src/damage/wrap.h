/*
 * Recognising a payload of over 65,531 bytes that a writer without a check
 * stored with a size that wrapped round the 16 bits of the size word.
 */
#ifndef SHMLOG_WRAP_H
#define SHMLOG_WRAP_H

#include <shmlog.h>
#include <stdint.h>

/*
 * Sets fault->wrapped_payload_bytes if the bytes from fault->cursor to the
 * cursor `end`, which are no good frames, can be a payload whose size wrapped:
 * both size words are the size modulo 65,536.  Returns 0, -errno or
 * SHMLOG_ERR_MAPPING_GONE.
 */
int shmlog_name_wrap(int fd, uint64_t data_offset, uint64_t end,
                     struct shmlog_fault *fault);

/*
 * Sets it for the bad frame at fault->cursor where it is not known yet where
 * good frames go on.  Looks at the next 400 KB or so; takes 10 MiB and some
 * milliseconds if a word there may end such a payload.  `committed` is a
 * cursor.
 */
void shmlog_suspect_wrap(int fd, uint64_t data_offset, uint64_t committed,
                         struct shmlog_fault *fault);

#endif
