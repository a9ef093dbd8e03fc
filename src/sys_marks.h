/*
 * The bytes that marks stand on: a mark is a record lock on a byte that no file
 * has.
 */
#ifndef SHMLOG_SYS_MARKS_H
#define SHMLOG_SYS_MARKS_H

#include <stdint.h>

#define WRITTEN_BYTE (INT64_MAX - 1)
#define LOCK_REQUEST_BYTE (INT64_MAX - 2)
/* Not next to another one: the system makes one lock of two neighbours. */
#define APPENDER_BYTE (INT64_MAX - 4)
#define PLACE_BYTE (INT64_MAX - 6)

#endif
