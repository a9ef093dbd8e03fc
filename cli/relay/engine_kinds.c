/* The list of the kinds of servers. */
#include "engine.h"

#include <string.h>

static const struct engine_kind *const kinds[] = {&engine_jetstream};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const struct engine_kind *engine_find(const char *scheme, size_t length)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		for (const char *const *name = kinds[i]->schemes; *name != NULL;
		     name++) {
			if (strlen(*name) == length &&
			    memcmp(*name, scheme, length) == 0)
				return kinds[i];
		}
	}
	return NULL;
}
