/* Looks up the names of users. */
#include "users.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>

const char *cli_user_name(struct cli_user *user, uint32_t uid)
{
	const struct passwd *entry;

	if (user->text[0] != '\0' && user->uid == uid)
		return user->text;
	user->uid = uid;
	entry = getpwuid((uid_t)uid);
	if (entry)
		snprintf(user->text, sizeof(user->text), "%s", entry->pw_name);
	else
		snprintf(user->text, sizeof(user->text), "%" PRIu32, uid);
	return user->text;
}
