/* Both limits of a range, found on one snapshot of the end. */
#include "range.h"

#include "command.h"
#include "open_log.h"

/* Moves the reader to a position and stores the cursor there. */
static int locate(const struct cli_position *position, const struct shmlog *log,
                  struct shmlog_reader *reader, const char *subject,
                  uint64_t *cursor_out, int *damage_out)
{
	int status = cli_position_seek_or_damage(log, reader, position, false,
	                                         subject, damage_out);

	*cursor_out = shmlog_reader_cursor(reader);
	return status;
}

/* Finds the end first, so that the reader then stands at the beginning. */
static int find_forwards(struct cli_range *range, const struct shmlog *log,
                         struct shmlog_reader *reader, const char *subject,
                         int *damage_out)
{
	uint64_t hidden_by = UINT64_MAX;
	int status = locate(&range->to, log, reader, subject, &range->end,
	                    damage_out);

	if (*damage_out != 0 && range->to.kind != CLI_POSITION_FROM_END)
		hidden_by = shmlog_reader_fault(reader)->cursor;
	else if (status != CLI_OK)
		return status;
	status = locate(&range->from, log, reader, subject, &range->begin,
	                damage_out);
	if (status != CLI_OK || hidden_by == UINT64_MAX)
		return status;
	/* The range begins behind the damage, so that reading would not meet
	 * it: the end is searched for once more, to report the damage. */
	if (range->begin > hidden_by)
		return locate(&range->to, log, reader, subject, &range->end,
		              damage_out);
	range->end = UINT64_MAX;
	return CLI_OK;
}

static int find_backwards(struct cli_range *range, const struct shmlog *log,
                          struct shmlog_reader *reader, const char *subject,
                          int *damage_out)
{
	int status = locate(&range->from, log, reader, subject, &range->begin,
	                    damage_out);

	if (status != CLI_OK)
		return status;
	return locate(&range->to, log, reader, subject, &range->end,
	              damage_out);
}

int cli_range_find(struct cli_range *range, const struct shmlog *log,
                   struct shmlog_reader *reader, const char *subject,
                   int *damage_out)
{
	int status = shmlog_reader_hold_end(reader);

	*damage_out = 0;
	if (status != 0)
		return cli_reader_failed(subject, reader, status);
	return range->reverse
	               ? find_backwards(range, log, reader, subject, damage_out)
	               : find_forwards(range, log, reader, subject, damage_out);
}
