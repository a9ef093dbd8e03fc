/*
 * Whether other processes hold a file: have it open or mapped.  Only what the
 * system says of open files decides, never a file's age: a store to memory
 * moves no time stamp.
 */
#ifndef CLI_HOLDERS_H
#define CLI_HOLDERS_H

enum cli_holding {
	CLI_HELD_BY_NOBODY,
	CLI_HELD,             /* but not by a follower */
	CLI_HELD_BY_FOLLOWER, /* or by somebody who cannot be looked at */
};

/*
 * Tries to seize the file of `fd`, which is open read-only once in this process
 * and leads to the file named `path`.  CLI_HELD_BY_NOBODY if no other process
 * holds it; then, where the system has leases, whoever opens it has to wait for
 * cli_file_release().  That must come soon.
 */
enum cli_holding cli_file_seize(const char *path, int fd);
void cli_file_release(int fd);

#endif
