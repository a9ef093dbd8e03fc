/* Says in words what is wrong with a frame. */
#include "fault_text.h"

#include "json_write.h"

#include <inttypes.h>
#include <shmlog.h>
#include <stdio.h>

/* Describes the bytes that stand in the place of a frame. */
static void describe_words(char *part, size_t room,
                           const struct shmlog_fault *fault)
{
	const char *word = fault->backwards ? "its last size word"
	                                    : "its size word";
	const char *other = fault->backwards ? "its first one"
	                                     : "the one behind it";
	const char *side = fault->backwards
	                           ? "from the start of the log"
	                           : "to the end of the committed data";
	const char *are = fault->available == 1 ? "is" : "are";
	const char *bytes = fault->available == 1 ? "byte" : "bytes";
	if (fault->available < 2)
		snprintf(part, room,
		         "%" PRIu64 " %s %s too few for a size word",
		         fault->available, bytes, are);
	else if (fault->status == SHMLOG_ERR_FRAME_CORRUPT)
		snprintf(part, room, "%s says %" PRIu32 ", %s says %" PRIu32,
		         word, fault->first_word, other, fault->second_word);
	else if (fault->first_word < SHMLOG_FRAME_OVERHEAD_BYTES)
		snprintf(part, room,
		         "%s says %" PRIu32 ", but no frame has fewer than %u "
		         "bytes",
		         word, fault->first_word, SHMLOG_FRAME_OVERHEAD_BYTES);
	else if (fault->first_word <= fault->available)
		snprintf(part, room, "no chain of frames leads there");
	else
		snprintf(part, room,
		         "%s says %" PRIu32 ", but there %s only %" PRIu64
		         " %s %s",
		         word, fault->first_word, are, fault->available, bytes,
		         side);
}

const char *cli_describe_fault(struct cli_fault_text *buffer,
                               const struct shmlog_fault *fault)
{
	char words[256], wrap[128] = "";

	describe_words(words, sizeof(words), fault);
	if (fault->wrapped_payload_bytes != 0)
		(void)snprintf(wrap, sizeof(wrap),
		               "; looks like a payload of %" PRIu64
		               " bytes whose size wrapped",
		               fault->wrapped_payload_bytes);
	(void)snprintf(buffer->text, sizeof(buffer->text),
	               "%s frame %s cursor %" PRIu64 ": %s%s",
	               fault->status == SHMLOG_ERR_TORN ? "torn" : "damaged",
	               fault->backwards ? "that ends at" : "at", fault->cursor,
	               words, wrap);
	return buffer->text;
}

void cli_add_damage(struct cli_object *array,
                    const struct shmlog_damage *damage)
{
	struct cli_object *entry = cli_array_object(array);
	struct cli_fault_text text;

	cli_object_u64(entry, "cursor", damage->fault.cursor);
	cli_object_u64(entry, "end", damage->end_cursor);
	cli_object_u64(entry, "bytes",
	               damage->end_cursor - damage->fault.cursor);
	cli_object_u64(entry, "good_before", damage->good_before);
	cli_object_string(entry, "error",
	                  shmlog_status_name(damage->fault.status));
	cli_object_string(entry, "reason",
	                  cli_describe_fault(&text, &damage->fault));
}
