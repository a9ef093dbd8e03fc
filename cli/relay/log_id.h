/* The identity of a log as text, for messages that come from it. */
#ifndef RELAY_LOG_ID_H
#define RELAY_LOG_ID_H

#include "engine.h"

#include <shmlog.h>

/* Its time of birth and its inode in hex.  The number of the device is left
 * out, as it may be another one after each start of the system. */
struct relay_log_id {
	char text[ENGINE_LOG_BYTES];
};

struct relay_log_id relay_log_id(const struct shmlog *log);

#endif
