/* Makes the identity of a log a text. */
#include "log_id.h"

#include <inttypes.h>
#include <stdio.h>

struct relay_log_id relay_log_id(const struct shmlog *log)
{
	struct shmlog_identity identity = shmlog_identity(log);
	struct relay_log_id id;

	(void)snprintf(id.text, sizeof(id.text), "%" PRIx64 "-%" PRIx64,
	               (uint64_t)identity.birth_ns, identity.inode);
	return id;
}
