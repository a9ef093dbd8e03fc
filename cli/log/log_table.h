/* The logs that were found, with their holders, and the table of them. */
#ifndef CLI_LOG_TABLE_H
#define CLI_LOG_TABLE_H

#include <shmlog.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_listed_log {
	char *path;
	char *former_path; /* of one that is deleted, or NULL */
	uint64_t device;
	uint64_t inode;
	struct shmlog_header header;
	uint32_t uid;
	uint64_t writers; /* processes, appenders counted */
	uint64_t readers;
	bool is_log;
	bool damaged;
	bool deleted;
	bool has_lag;
	uint64_t lag; /* of the follower that has most to read */
};

struct cli_log_table {
	struct cli_listed_log *all;
	size_t count;
	size_t room;
	int unseen;  /* processes that may not be looked into, or -errno: who
	             * holds the logs is not known */
	bool hidden; /* there may be more that are not even counted */
};

struct cli_object;
struct cli_user;

/* Adds what is known of a log to an object; `user` is as users.h has it. */
void cli_log_add(struct cli_object *object, const struct cli_log_table *table,
                 const struct cli_listed_log *entry, struct cli_user *user);

/* How much of a log's room is used, in percent. */
double cli_log_used_percent(const struct shmlog_header *header);

/* Prints the table, with colour or without, or a line of JSON for each log.  An
 * exit status. */
int cli_print_logs(const struct cli_log_table *table, bool json, bool color);

#endif
