/* Collects members of an object: a later one takes the place of an earlier
 * one. */
#include "members.h"

#include <stdlib.h>
#include <string.h>

static struct member *find(const struct members *members, const void *name,
                           size_t name_bytes)
{
	for (size_t i = 0; i < members->count; i++) {
		struct member *member = &members->all[i];

		if (member->name.used == name_bytes &&
		    memcmp(member->name.at, name, name_bytes) == 0)
			return member;
	}
	return NULL;
}

static struct member *add(struct members *members)
{
	struct member *larger = realloc(members->all,
	                                (members->count + 1) * sizeof(*larger));

	if (larger == NULL) {
		members->failed = true;
		return NULL;
	}
	members->all = larger;
	larger[members->count] = (struct member){0};
	return &larger[members->count++];
}

void members_set(struct members *members, struct cli_json_span name,
                 struct cli_json_span value)
{
	struct member *member = name.size_bytes > 0 ? find(members, name.bytes,
	                                                   name.size_bytes)
	                                            : NULL;

	if (member == NULL) {
		member = add(members);
		if (member == NULL)
			return;
		bytes_add(&member->name, name.bytes, name.size_bytes);
	}
	bytes_clear(&member->value);
	bytes_add(&member->value, value.bytes, value.size_bytes);
	members->failed |= member->name.failed || member->value.failed;
}

void members_set_text(struct members *members, const char *name,
                      const char *value)
{
	members_set(members,
	            (struct cli_json_span){(const unsigned char *)name,
	                                   strlen(name)},
	            (struct cli_json_span){(const unsigned char *)value,
	                                   strlen(value)});
}

bool members_merge(struct members *members, struct cli_json_span object,
                   bool but_null)
{
	struct cli_json_member member;
	struct cli_json_scan scan;

	if (!cli_json_begin_object(&scan, (const char *)object.bytes,
	                           object.size_bytes))
		return false;
	while (cli_json_take_member(&scan, &member)) {
		if (!but_null || member.value.bytes[0] != 'n')
			members_set(members, member.name, member.value);
	}
	return true;
}

const struct bytes *members_find(const struct members *members,
                                 const char *name)
{
	const struct member *member = find(members, name, strlen(name));

	return member != NULL ? &member->value : NULL;
}

void members_print(const struct members *members, const char *without,
                   struct bytes *out)
{
	bool is_first = true;

	for (size_t i = 0; i < members->count; i++) {
		const struct member *member = &members->all[i];

		if (without != NULL && member->name.used == strlen(without) &&
		    memcmp(member->name.at, without, strlen(without)) == 0)
			continue;
		bytes_string(out, is_first ? "\"" : ",\"");
		bytes_add(out, member->name.at, member->name.used);
		bytes_string(out, "\":");
		bytes_add(out, member->value.at, member->value.used);
		is_first = false;
	}
	out->failed |= members->failed;
}

void members_free(struct members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		bytes_free(&members->all[i].name);
		bytes_free(&members->all[i].value);
	}
	free(members->all);
	*members = (struct members){0};
}
