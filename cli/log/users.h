/* The names of users. */
#ifndef CLI_USERS_H
#define CLI_USERS_H

#include <stdint.h>

/* The name of a user, or the number of one without a name; the one that was
 * asked for last is not looked up again.  All zeros to begin with. */
struct cli_user {
	char text[64]; /* "" before the first call */
	uint32_t uid;
};

/* Valid until the next call with the same buffer. */
const char *cli_user_name(struct cli_user *user, uint32_t uid);

#endif
