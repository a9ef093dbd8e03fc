/* Keeps the key. */
#include "secret.h"

#include "command.h"
#include "message.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <unistd.h>

#define KEY_VARIABLE "ANTHROPIC_API_KEY"
#define TOKEN_VARIABLE "ANTHROPIC_AUTH_TOKEN"
#define ROOM_BYTES 4096u
/* A shorter key would stand in many an innocent text. */
#define LEAST_BYTES 8u

/* Not optimised away, as what was wiped is never read again. */
static void wipe(char *at, size_t size_bytes)
{
	volatile char *bytes = at;

	while (size_bytes-- > 0)
		bytes[size_bytes] = 0;
}

/* Moves the value of a variable, whose bytes /proc/PID/environ shows as
 * well. */
static bool take_variable(struct secret *secret, const char *name)
{
	char *value = getenv(name);
	size_t length = value != NULL ? strlen(value) : 0;
	bool taken = false;

	if (length > 0 && length < secret->room_bytes &&
	    secret->key[0] == '\0') {
		memcpy(secret->key, value, length + 1);
		taken = true;
	}
	if (value != NULL)
		wipe(value, length);
	(void)unsetenv(name);
	return taken;
}

static int read_key(struct secret *secret, int fd)
{
	size_t used = 0;
	ssize_t got = 0;

	while (used < secret->room_bytes - 1) {
		got = read(fd, secret->key + used,
		           secret->room_bytes - 1 - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	if (got < 0)
		return cli_system_failed("--key-fd", "cannot read", errno);
	while (used > 0 &&
	       (secret->key[used - 1] == '\n' || secret->key[used - 1] == '\r'))
		used--;
	secret->key[used] = '\0';
	return CLI_OK;
}

/* A key goes into a line of a header. */
static int check_key(const struct secret *secret)
{
	for (const char *at = secret->key; *at != '\0'; at++) {
		if (*at <= ' ' || *at > '~')
			return cli_usage_error("the key holds characters that "
			                       "no key has");
	}
	return CLI_OK;
}

int secret_take(struct secret *secret_out, int fd)
{
	struct secret *secret = secret_out;
	void *room = mmap(NULL, ROOM_BYTES, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool is_key;
	int status = CLI_OK;

	*secret = (struct secret){0};
	if (room == MAP_FAILED)
		return cli_system_failed(NULL, "cannot start", errno);
#ifdef MADV_DONTDUMP
	(void)madvise(room, ROOM_BYTES, MADV_DONTDUMP);
#endif
	secret->key = room;
	secret->room_bytes = ROOM_BYTES;
	if (fd >= 0) {
		status = read_key(secret, fd);
		close(fd);
	}
	is_key = secret->key[0] != '\0';
	is_key |= take_variable(secret, KEY_VARIABLE);
	secret->is_token = take_variable(secret, TOKEN_VARIABLE) && !is_key;
	return status == CLI_OK ? check_key(secret) : status;
}

void secret_hide_process(void)
{
#ifdef __linux__
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void secret_wipe_from(const struct secret *secret, struct bytes *text)
{
	size_t length = secret->key != NULL ? strlen(secret->key) : 0;

	for (size_t at = 0; length >= LEAST_BYTES && at + length <= text->used;
	     at++) {
		if (memcmp(text->at + at, secret->key, length) == 0)
			memset(text->at + at, '*', length);
	}
}

size_t secret_begun(const struct secret *secret, const struct bytes *text)
{
	size_t length = secret->key != NULL ? strlen(secret->key) : 0;
	size_t begun;

	if (length < LEAST_BYTES || text->used == 0)
		return 0;
	begun = text->used < length ? text->used : length - 1;
	while (memcmp(text->at + text->used - begun, secret->key, begun) != 0)
		begun--;
	return begun;
}

void secret_release(struct secret *secret)
{
	if (secret->key != NULL) {
		wipe(secret->key, secret->room_bytes);
		(void)munmap(secret->key, secret->room_bytes);
	}
	*secret = (struct secret){0};
}
