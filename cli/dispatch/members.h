/* The members of a JSON object, whose values are ready JSON. */
#ifndef DISPATCH_MEMBERS_H
#define DISPATCH_MEMBERS_H

#include "bytes.h"
#include "json_scan.h"

#include <stdbool.h>
#include <stddef.h>

struct member {
	struct bytes name; /* the inside of a string */
	struct bytes value;
};

/* All zeros has none. */
struct members {
	struct member *all;
	size_t count;
	bool failed; /* memory was short */
};

/* Gives a member a value, in its old place if there is one. */
void members_set(struct members *members, struct cli_json_span name,
                 struct cli_json_span value);
void members_set_text(struct members *members, const char *name,
                      const char *value);

/* Sets all members of an object, a text that is known to be JSON; those that
 * are null are left out if `but_null`.  False for any other value. */
bool members_merge(struct members *members, struct cli_json_span object,
                   bool but_null);

/* The value of a member, NULL if there is none. */
const struct bytes *members_find(const struct members *members,
                                 const char *name);

/* Adds "name":value, with commas between them, but for the one that is called
 * `without`, which may be NULL. */
void members_print(const struct members *members, const char *without,
                   struct bytes *out);

void members_free(struct members *members);

#endif
