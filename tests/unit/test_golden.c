/*
 * The golden files, which the Node package wrote: every frame where the
 * manifest has it, in both directions, with the payload's SHA-256.
 *
 * Of oversize-wrap.shm the manifest tells what the package's own iterator
 * returned: one good frame and then garbage.  Here it is the good frame and
 * then an error.
 */
#include "support.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRAPPED_FILE "oversize-wrap.shm"
#define WRAPPED_PAYLOAD_BYTES 70000

/* One entry of the manifest, and the file's bytes. */
struct golden {
	const cJSON *entry;
	const char *name;
	char path[400];
	unsigned char *bytes;
	size_t length;
};

static uint64_t number_in(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	assert_true(cJSON_IsNumber(item));
	return (uint64_t)item->valuedouble;
}

static const char *string_in(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(object, key));

	assert_non_null(text);
	return text;
}

static const cJSON *frames_of(const struct golden *golden)
{
	return cJSON_GetObjectItemCaseSensitive(golden->entry, "frames");
}

static bool is_wrapped(const struct golden *golden)
{
	return strcmp(golden->name, WRAPPED_FILE) == 0;
}

/* How many frames of the manifest are good ones. */
static size_t good_frames(const struct golden *golden)
{
	return is_wrapped(golden)
	               ? 1
	               : (size_t)cJSON_GetArraySize(frames_of(golden));
}

/* Runs `check` on every golden file. */
static void for_each_golden(void (*check)(const struct golden *golden))
{
	size_t length;
	unsigned char *text = file_bytes(TEST_FIXTURES "/manifest.json",
	                                 &length);
	cJSON *manifest = cJSON_ParseWithLength((const char *)text, length);
	const cJSON *entry;
	unsigned count = 0;

	assert_true(cJSON_IsArray(manifest));
	cJSON_ArrayForEach(entry, manifest)
	{
		struct golden golden = {.entry = entry,
		                        .name = string_in(entry, "file")};

		snprintf(golden.path, sizeof(golden.path), "%s/%s",
		         TEST_FIXTURES, golden.name);
		golden.bytes = file_bytes(golden.path, &golden.length);
		check(&golden);
		expect_file(golden.path, golden.bytes, golden.length);
		free(golden.bytes);
		count++;
	}
	assert_int_equal(count, 8);
	cJSON_Delete(manifest);
	free(text);
}

/* ----------------------------------------------------------------- header */

static void check_header(const struct golden *golden)
{
	struct shmlog_header header;

	expect_status(shmlog_inspect(golden->path, &header), 0);
	assert_int_equal(header.header_size,
	                 number_in(golden->entry, "headerSize"));
	assert_int_equal(header.data_offset,
	                 number_in(golden->entry, "dataOffset"));
	assert_int_equal(header.size,
	                 number_in(golden->entry, "committedSize"));
	assert_int_equal(header.capacity, number_in(golden->entry, "capacity"));
}

TEST(test_golden_headers_are_those_of_the_manifest)
{
	for_each_golden(check_header);
}

/* --------------------------------------------------------------- checksums */

/* Compares files in a folder with a list as sha256sum(1) makes it. */
static void expect_checksums(const char *folder)
{
	char command[700];

	snprintf(command, sizeof(command),
	         "cd '%s' && if command -v sha256sum >/dev/null; "
	         "then sha256sum -c list >log 2>&1; "
	         "else shasum -a 256 -c list >log 2>&1; fi || "
	         "{ grep -v ': OK$' log; exit 1; }",
	         folder);
	assert_int_equal(system(command), 0);
}

static void write_in(const char *folder, const char *name, const void *bytes,
                     size_t length)
{
	char path[500];

	snprintf(path, sizeof(path), "%s/%s", folder, name);

	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void check_payloads(const struct golden *golden)
{
	struct shmlog *log = open_log(golden->path);
	struct shmlog_reader *reader = open_reader(log, SHMLOG_READER_BUFFERED,
	                                           0);
	const char *folder = scratch_keep(golden->name);
	size_t count = good_frames(golden);
	char *list = calloc(count + 1, 100);
	size_t used;

	assert_non_null(list);
	assert_int_equal(mkdir(folder, 0755), 0);
	write_in(folder, "file", golden->bytes, golden->length);
	used = (size_t)sprintf(list, "%s  file\n",
	                       string_in(golden->entry, "sha256"));
	for (size_t i = 0; i < count; i++) {
		const cJSON *expected = cJSON_GetArrayItem(frames_of(golden),
		                                           (int)i);
		struct shmlog_frame frame;
		char name[32];

		expect_status(shmlog_reader_next(reader, &frame), 1);
		snprintf(name, sizeof(name), "payload-%zu", i);
		write_in(folder, name, frame.payload, frame.size_bytes);
		used += (size_t)sprintf(list + used, "%s  %s\n",
		                        string_in(expected, "sha256"), name);
	}
	write_in(folder, "list", list, used);
	expect_checksums(folder);
	free(list);
	shmlog_reader_close(reader);
	shmlog_close(log);
}

TEST(test_golden_payloads_have_the_checksums_of_the_manifest)
{
	for_each_golden(check_payloads);
}

/* ----------------------------------------------------------------- readers */

/* The frame that the manifest has as number `index`. */
static void expect_entry(const struct golden *golden,
                         const struct shmlog_frame *frame, size_t index)
{
	const cJSON *expected = cJSON_GetArrayItem(frames_of(golden),
	                                           (int)index);
	uint64_t cursor = number_in(expected, "cursor");

	expect_frame(frame, golden->bytes + 24 + cursor + 2,
	             number_in(expected, "payloadBytes"), cursor);
}

static void check_readers(const struct golden *golden)
{
	struct shmlog *log = open_log(golden->path);
	size_t count = good_frames(golden);

	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		struct shmlog_reader *reader = open_kind(log, kind);
		struct shmlog_frame frame;

		for (size_t i = 0; i < count; i++) {
			expect_status(shmlog_reader_next(reader, &frame), 1);
			expect_entry(golden, &frame, i);
			assert_int_equal(frame.index, i);
		}
		if (!is_wrapped(golden)) {
			expect_status(shmlog_reader_next(reader, &frame), 0);
			assert_int_equal(
				shmlog_reader_cursor(reader),
				number_in(golden->entry, "iteratorEndCursor"));
		}
		for (size_t i = count; i-- > 0;) {
			expect_status(shmlog_reader_prev(reader, &frame), 1);
			expect_entry(golden, &frame, i);
		}
		expect_status(shmlog_reader_prev(reader, &frame), 0);
		shmlog_reader_close(reader);
	}
	shmlog_close(log);
}

TEST(test_golden_frames_are_those_of_the_manifest_in_both_directions)
{
	for_each_golden(check_readers);
}

/* ------------------------------------------------------------------ verify */

static void check_proof(const struct golden *golden)
{
	struct shmlog *log = open_log(golden->path);
	struct shmlog_verify_report report;

	expect_status(shmlog_verify(log, NULL, &report), is_wrapped(golden));
	assert_int_equal(report.frames, good_frames(golden));
	assert_int_equal(report.frames_in_gap, 0);
	shmlog_close(log);
}

TEST(test_golden_files_are_sound_but_for_the_wrapped_one)
{
	for_each_golden(check_proof);
}

TEST(test_golden_uncommitted_frames_are_leftovers)
{
	struct shmlog *log = open_log(TEST_FIXTURES "/uncommitted.shm");
	struct shmlog_verify_report report;

	expect_status(shmlog_verify(log, NULL, &report), 0);
	assert_int_equal(report.frames, 5);
	assert_int_equal(report.leftover_frames, 3);
	assert_true(report.leftover_bytes);
	shmlog_close(log);
}

static int note_damage(void *context, const struct shmlog_damage *damage)
{
	*(struct shmlog_damage *)context = *damage;
	return 0;
}

TEST(test_golden_wrapped_frame_is_refused_and_recognised)
{
	struct shmlog *log = open_log(TEST_FIXTURES "/" WRAPPED_FILE);
	struct shmlog_damage damage = {0};
	struct shmlog_verify_visitor visitor = {.damage = note_damage,
	                                        .context = &damage};
	struct shmlog_verify_report report;

	for (size_t kind = 0; kind < READER_KINDS; kind++) {
		struct shmlog_reader *reader = open_kind(log, kind);
		const struct shmlog_fault *fault;
		struct shmlog_frame frame;

		expect_status(shmlog_reader_next(reader, &frame), 1);
		expect_frame(&frame, "good", 4, 0);
		expect_status(shmlog_reader_next(reader, &frame),
		              SHMLOG_ERR_FRAME_CORRUPT);
		assert_int_equal(shmlog_reader_cursor(reader), 8);
		fault = shmlog_reader_fault(reader);
		assert_int_equal(fault->cursor, 8);
		assert_int_equal(fault->first_word, 4468);
		assert_int_equal(fault->wrapped_payload_bytes,
		                 WRAPPED_PAYLOAD_BYTES);
		shmlog_reader_close(reader);
	}
	expect_status(shmlog_verify(log, &visitor, &report), 1);
	assert_int_equal(damage.fault.cursor, 8);
	assert_int_equal(damage.end_cursor, 8 + WRAPPED_PAYLOAD_BYTES + 4);
	assert_int_equal(damage.fault.wrapped_payload_bytes,
	                 WRAPPED_PAYLOAD_BYTES);
	assert_int_equal(damage.good_before, 1);
	shmlog_close(log);
}

/* ------------------------------------------------------------------- copies */

/* Appended to a new log of the same capacity, the frames of a sound file give
 * the same file byte for byte, but for what was never committed. */
static void check_copy(const struct golden *golden)
{
	const char *path = scratch("copy");
	uint64_t size = number_in(golden->entry, "committedSize");

	if (is_wrapped(golden))
		return;
	expect_status(shmlog_create(path, golden->length, 0600, 0), 0);

	struct shmlog *copy = open_log(path);
	struct shmlog_append_result result;

	expect_status(shmlog_append_frames(copy, golden->bytes + 24,
	                                   (size_t)size - 24, NULL, &result),
	              0);
	assert_int_equal(result.frames, good_frames(golden));
	shmlog_close(copy);

	unsigned char *expected = calloc(1, golden->length);

	assert_non_null(expected);
	memcpy(expected, golden->bytes, (size_t)size);
	expect_file(path, expected, golden->length);
	free(expected);
}

TEST(test_golden_files_are_copied_byte_for_byte)
{
	for_each_golden(check_copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_headers_are_those_of_the_manifest),
		cmocka_unit_test(
			test_golden_payloads_have_the_checksums_of_the_manifest),
		cmocka_unit_test(
			test_golden_frames_are_those_of_the_manifest_in_both_directions),
		cmocka_unit_test(
			test_golden_files_are_sound_but_for_the_wrapped_one),
		cmocka_unit_test(test_golden_uncommitted_frames_are_leftovers),
		cmocka_unit_test(
			test_golden_wrapped_frame_is_refused_and_recognised),
		cmocka_unit_test(test_golden_files_are_copied_byte_for_byte),
	};

	return cmocka_run_group_tests_name("golden", tests, scratch_setup,
	                                   scratch_teardown);
}
