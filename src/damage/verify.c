/* Verifies a log: walks over it, from both ends at once where that is possible,
 * and then looks at what lies outside of the committed data. */
#include "both_ends.h"
#include "log.h"
#include "outside_data.h"
#include "walk.h"

#include <string.h>

static int tell_passed(void *context, uint64_t bytes)
{
	return shmlog_tell_passed(context, bytes);
}

/* A shorter log is walked over from its start before the memory of the other
 * walk is at hand. */
#define BOTH_ENDS_LEAST_BYTES ((uint64_t)1 << 20)

/*
 * Walks over all of the log from both ends at once.  A chain of frames that
 * fills the log is sound: the walk from the start takes each of its frames,
 * also one that looks like a fill, as all up to the end are good.
 */
static int walk_from_both_ends(struct shmlog_visit *visit, bool *is_sound_out)
{
	const struct shmlog_walk_request request = {
		.fd = visit->log->fd,
		.offset = visit->log->data_offset,
		.length = visit->committed,
		.passed = tell_passed,
		.context = visit,
	};
	struct shmlog_chain_count count = {.size_counts = visit->size_counts};
	int status = shmlog_count_chain(&request, &count, is_sound_out);

	if (status == 0 && *is_sound_out) {
		visit->report->frames = count.frames;
		visit->report->payload_bytes =
			visit->committed -
			count.frames * SHMLOG_FRAME_OVERHEAD_BYTES;
	}
	return status;
}

/* Walks over the log in one way or the other, and looks around it. */
static int verify(struct shmlog_visit *visit)
{
	const struct shmlog_verify_visitor *visitor = visit->visitor;
	struct shmlog *log = visit->log;
	struct shmlog_verify_report *report = visit->report;
	bool in_order = visitor != NULL && visitor->frames != NULL;
	bool is_sound = false;

	memset(report, 0, sizeof(*report));
	int status = shmlog_read_header(log, &report->header);

	if (status != 0)
		return status;
	if (report->header.data_offset != log->data_offset)
		return SHMLOG_ERR_DATA_OFFSET;
	visit->committed = report->header.size - log->data_offset;
	if (!in_order && visit->committed >= BOTH_ENDS_LEAST_BYTES)
		status = walk_from_both_ends(visit, &is_sound);
	if (status == 0 && !is_sound)
		status = shmlog_walk_from_start(visit);
	if (status == 0)
		status = shmlog_look_before_data(log, visitor, report);
	if (status == 0)
		status = shmlog_look_behind_commit(log, visitor, report);
	if (status != 0)
		return status;

	uint64_t found = report->damaged_ranges +
	                 (report->frames_in_gap > 0 ? 1 : 0) +
	                 (report->header.header_size > log->data_offset ? 1
	                                                                : 0);

	return found < INT32_MAX ? (int)found : INT32_MAX;
}

int shmlog_verify(struct shmlog *log,
                  const struct shmlog_verify_visitor *visitor,
                  struct shmlog_verify_report *report_out)
{
	struct shmlog_visit visit = {
		.log = log, .visitor = visitor, .report = report_out};

	return verify(&visit);
}

int shmlog_count(struct shmlog *log, const struct shmlog_counter *counter,
                 struct shmlog_verify_report *report_out)
{
	const struct shmlog_counter chosen = counter != NULL
	                                             ? *counter
	                                             : (struct shmlog_counter){
							       0};
	const struct shmlog_verify_visitor visitor = {
		.damage = chosen.damage,
		.context = chosen.context,
		.keep_going = chosen.keep_going,
	};
	struct shmlog_visit visit = {
		.log = log,
		.visitor = &visitor,
		.passed = chosen.passed,
		.size_counts = chosen.size_counts,
		.report = report_out,
	};

	return verify(&visit);
}
