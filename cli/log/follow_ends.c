/* Tells when a follow ends. */
#include "follow_ends.h"

#include "clock.h"

static int64_t since(int64_t start_ns)
{
	return cli_now_ns() - start_ns;
}

void cli_ends_init(struct cli_follow_ends *ends)
{
	*ends = (struct cli_follow_ends){.timeout_ns = -1, .idle_ns = -1};
}

void cli_ends_begin(struct cli_follow_ends *ends)
{
	ends->started_ns = ends->frame_ns = cli_now_ns();
}

bool cli_ends_is_timed_out(const struct cli_follow_ends *ends)
{
	return ends->timeout_ns >= 0 &&
	       since(ends->started_ns) >= ends->timeout_ns;
}

bool cli_ends_is_idle(const struct cli_follow_ends *ends)
{
	return ends->idle_ns >= 0 && since(ends->frame_ns) >= ends->idle_ns;
}

bool cli_ends_check_writer_gone(struct cli_follow_ends *ends)
{
	if (ends->process.pid == 0)
		return false;
	if (ends->process_gone)
		return true;
	/* The process may have written up to its end. */
	ends->process_gone = cli_process_is_gone(&ends->process);
	return false;
}

int64_t cli_ends_limit(const struct cli_follow_ends *ends, int64_t most_ns)
{
	if (ends->process_gone)
		return 0;
	if (ends->timeout_ns >= 0) {
		int64_t left = ends->timeout_ns - since(ends->started_ns);

		most_ns = left < most_ns ? left : most_ns;
	}
	if (ends->idle_ns >= 0) {
		int64_t left = ends->idle_ns - since(ends->frame_ns);

		most_ns = left < most_ns ? left : most_ns;
	}
	return most_ns > 0 ? most_ns : 0;
}
