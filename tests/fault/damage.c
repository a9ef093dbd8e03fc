/*
 * Damage of every kind to logs of every kind, against the known truth: every
 * run of three intact frames is kept, and no frame is invented.
 *
 * damage DIRECTORY ROUNDS [FIRST]
 *
 * Round number R of a seed is the same whatever other rounds are run, so
 * ROUNDS 1 and FIRST R repeat it.  With KEEP in the environment the last log is
 * kept, and all rounds are run.
 *
 * What no one can tell is not asked for.  A copy of good frames over other
 * bytes is good frames, and so may be what is left of a frame that lost bytes.
 * Where both words of a frame are gone that holds frames in its payload, those
 * are what is left of it.  Of two readings of the same bytes that are as good,
 * one is right.  Such frames are counted.
 *
 * Logs of tiny frames or of small numbers, of frames that hold frames or nothing
 * but bytes 0xff, and those with damage at every turn can be read in several
 * ways that are nearly as good: one in twenty of these loses or gains frames,
 * and twice as many may.  All others must not.
 */
#include "campaign.h"

#include <shmlog.h>

#define MOST_FRAMES (4u << 20)
#define MOST_BYTES (24u << 20)
#define MOST_DAMAGES 1000u
#define PAYLOAD_BYTES 200000u

enum kind {
	NOISE,
	TEXT,
	JSON,
	NUMBERS,
	SMALL_NUMBERS,
	BLANKS,
	ZEROS,
	ONES,
	STRUCTS,
	LENGTHS,
	LINES,
	FRAMED,
	LOGS,
	MIXED,
	KINDS
};

static const char *const kind_names[KINDS] = {
	"noise",  "text",   "json", "numbers", "small numbers",
	"blanks", "zeros",  "ones", "structs", "lengths",
	"lines",  "frames", "logs", "mixed"};

enum sizes {
	SMALL,
	FIXED,
	EMPTY,
	TINY,
	MEDIUM,
	WIDE,
	LARGEST,
	SIZES
};

static const char *const size_names[SIZES] = {
	"small", "fixed", "empty", "tiny", "medium", "wide", "largest"};

enum way {
	PREFIX,
	SUFFIX,
	BOTH_WORDS,
	NEIGHBOURS,
	RANGE_OF_ZEROS,
	RANGE_OF_ONES,
	RANGE_OF_NOISE,
	RANGE_OF_TEXT,
	RANGE_OF_LOG,
	LOST,
	INSERTED,
	WAYS
};

struct frame {
	uint64_t start; /* in the log as it was written */
	uint32_t total; /* more than 65,535: its size wrapped */
	bool cut;       /* bytes of it were lost, or others inserted */
	bool intact;
	bool is_gone; /* all of it was lost */
	uint64_t now; /* where it starts in the damaged log */
};

struct damage {
	uint64_t start; /* in the log as it was written */
	uint64_t bytes;
	enum way way;
	uint64_t now;
	uint64_t bytes_now;
};

static struct frame frames[MOST_FRAMES];
static size_t frame_count;
static struct damage damages[MOST_DAMAGES];
static size_t damage_count;
static unsigned char written[MOST_BYTES];
static unsigned char damaged[2 * MOST_BYTES];
static uint64_t written_bytes, damaged_bytes;
static uint64_t round_number, round_seed;
static enum kind log_kind;
static enum sizes log_sizes;
static uint64_t copies, inner, hard_logs, hard_errors;

static uint32_t get16(const unsigned char *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

static void put16(unsigned char *at, uint32_t value)
{
	at[0] = (unsigned char)value;
	at[1] = (unsigned char)(value >> 8);
}

/* A number of any magnitude below a limit. */
static uint64_t any_magnitude(uint64_t limit)
{
	uint64_t most = 1;

	while (most < limit && chance_below(8) != 0)
		most *= 2 + chance_below(3);
	if (limit == 0)
		return 0;
	return chance_below(most < limit ? most : limit);
}

/* ----------------------------------------------------------------- payloads */

static void fill_text(unsigned char *out, size_t bytes)
{
	static const char *const words[] = {
		"error ",   "info ", "connected ", "timeout ", "the ", "0x1f ",
		"request ", "id=",   "42 ",        "from ",    "\n"};

	for (size_t i = 0; i < bytes;) {
		const char *word = words[chance_below(11)];

		while (*word != '\0' && i < bytes)
			out[i++] = (unsigned char)*word++;
	}
}

static void fill_json(unsigned char *out, size_t bytes)
{
	char text[160];

	for (size_t i = 0; i < bytes;) {
		int length = snprintf(
			text, sizeof(text),
			"{\"time\":%" PRIu64
			",\"level\":\"info\",\"price\":%" PRIu64
			".%02u,\"name\":\"item-%u\",\"tags\":[%u,%u]}\n",
			1700000000000 + chance_below(1000000),
			chance_below(1000), (unsigned)chance_below(100),
			(unsigned)chance_below(50), (unsigned)chance_below(10),
			(unsigned)chance_below(10));
		size_t part = (size_t)length < bytes - i ? (size_t)length
		                                         : bytes - i;

		memcpy(out + i, text, part);
		i += part;
	}
}

/* Frames, one behind the other; the rest is noise. */
static void fill_frames(unsigned char *out, size_t bytes, size_t most)
{
	size_t used = 0;

	while (bytes - used >= 4) {
		size_t size = chance_below(most);

		if (size > bytes - used - 4)
			size = bytes - used - 4;
		put16(out + used, (uint32_t)size + 4);
		fill_text(out + used + 2, size);
		put16(out + used + 2 + size, (uint32_t)size + 4);
		used += size + 4;
	}
	for (; used < bytes; used++)
		out[used] = (unsigned char)chance();
}

static void fill_numbers(unsigned char *out, size_t bytes, size_t width,
                         uint64_t most)
{
	memset(out, 0, bytes);
	for (size_t i = 0; i + 1 < bytes; i += width)
		put16(out + i, (uint32_t)chance_below(most));
}

/* A counter, a time, a price, flags; the rest zeros. */
static void fill_struct(unsigned char *out, size_t bytes, bool with_length)
{
	unsigned char all[32] = {0};
	uint64_t counter = frame_count;
	uint64_t time = 1700000000000 + frame_count * 3;

	memcpy(all, &counter, 8);
	memcpy(all + 8, &time, 8);
	put16(all + 16, (uint32_t)chance_below(20000));
	if (with_length)
		put16(all + 24, (uint32_t)bytes + 4);
	memset(out, 0, bytes);
	memcpy(out, all, bytes < sizeof(all) ? bytes : sizeof(all));
}

static void fill(unsigned char *out, size_t bytes, enum kind kind)
{
	switch (kind) {
	case NOISE:
		for (size_t i = 0; i < bytes; i++)
			out[i] = (unsigned char)(chance() >> 20);
		return;
	case TEXT: fill_text(out, bytes); return;
	case JSON: fill_json(out, bytes); return;
	case NUMBERS: fill_numbers(out, bytes, 4, 256); return;
	case SMALL_NUMBERS: fill_numbers(out, bytes, 2, 100); return;
	case BLANKS: memset(out, ' ', bytes); return;
	case ZEROS: memset(out, 0, bytes); return;
	case ONES: memset(out, 0xff, bytes); return;
	case STRUCTS: fill_struct(out, bytes, false); return;
	case LENGTHS: fill_struct(out, bytes, true); return;
	case LINES:
		memset(out, '-', bytes);
		if (bytes >= 24)
			snprintf((char *)out, bytes, "counter=%zu",
			         frame_count);
		return;
	case FRAMED: fill_frames(out, bytes, 40); return;
	case LOGS:
		if (bytes < 24) {
			memset(out, 0, bytes);
			return;
		}
		memset(out, 0, 24);
		out[0] = out[8] = 24;
		put16(out + 16, (uint32_t)bytes);
		fill_frames(out + 24, bytes - 24, 60);
		return;
	default: fill(out, bytes, (enum kind)chance_below(MIXED)); return;
	}
}

static size_t choose_size(enum sizes sizes, size_t fixed)
{
	switch (sizes) {
	case SMALL: return 20 + (size_t)chance_below(100);
	case FIXED: return fixed;
	case EMPTY: return 0;
	case TINY: return (size_t)chance_below(8);
	case MEDIUM: return (size_t)chance_below(3000);
	case WIDE: return (size_t)any_magnitude(65532);
	default: return 65531 - (size_t)any_magnitude(2000);
	}
}

/* ---------------------------------------------------------------------- log */

static void append(enum kind kind, size_t size)
{
	unsigned char *out = written + written_bytes;
	uint32_t total = (uint32_t)size + 4;

	frames[frame_count] = (struct frame){.start = written_bytes,
	                                     .total = total};
	put16(out, total);
	fill(out + 2, size, kind);
	put16(out + 2 + size, total);
	frame_count++;
	written_bytes += total;
}

static void make_log(uint64_t bytes)
{
	size_t fixed = 1 + (size_t)any_magnitude(3000);
	unsigned wraps = chance_below(8) == 0 ? 1 : 0;

	frame_count = 0;
	written_bytes = 0;
	while (written_bytes < bytes && frame_count < MOST_FRAMES) {
		size_t size = choose_size(log_sizes, fixed);

		if (wraps > 0 && chance_below(500) == 0)
			size = 65532 + (size_t)chance_below(134468);
		if (size + 4 > MOST_BYTES - written_bytes)
			break;
		append(log_kind, size);
	}
}

/* ------------------------------------------------------------------ damages */

static int by_start(const void *a, const void *b)
{
	const struct damage *one = a;
	const struct damage *other = b;

	return one->start < other->start ? -1 : one->start > other->start;
}

static void choose_damage(struct damage *damage, uint64_t near)
{
	uint64_t at = near < written_bytes && chance_below(3) == 0
	                      ? near + any_magnitude(written_bytes - near)
	                      : chance_below(written_bytes);

	*damage = (struct damage){
		.start = at,
		.bytes = 1 + any_magnitude(written_bytes / 8),
		.way = (enum way)chance_below(log_sizes == EMPTY ? RANGE_OF_LOG
	                                                         : WAYS)};
}

/* Damages at random places, in order, none over another. */
static void choose_damages(size_t most)
{
	uint64_t end = 0;
	size_t kept = 0;

	damage_count = most;
	for (size_t i = 0; i < most; i++)
		choose_damage(&damages[i], i > 0 ? damages[i - 1].start : 0);
	qsort(damages, damage_count, sizeof(damages[0]), by_start);
	for (size_t i = 0; i < damage_count; i++) {
		struct damage one = damages[i];
		uint64_t next = i + 1 < damage_count ? damages[i + 1].start
		                                     : written_bytes;

		if (one.start < end || one.start >= written_bytes)
			continue;
		if (one.bytes > written_bytes - one.start)
			one.bytes = written_bytes - one.start;
		/* Leave something between most of them. */
		if (one.start + one.bytes > next && next > one.start + 1 &&
		    chance_below(4) != 0)
			one.bytes = 1 + chance_below(next - one.start);
		if (one.way == INSERTED)
			one.bytes = 0;
		end = one.start + one.bytes;
		damages[kept++] = one;
	}
	damage_count = kept;
}

static size_t frame_around(uint64_t at)
{
	size_t low = 0;
	size_t high = frame_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (frames[middle].start <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void flip(unsigned char *at)
{
	unsigned flips = 1 + (unsigned)chance_below(3);

	if (chance_below(4) == 0) {
		put16(at, (uint32_t)chance_below(65536));
		return;
	}
	while (flips-- > 0) {
		unsigned bit = (unsigned)chance_below(16);

		at[bit / 8] = (unsigned char)(at[bit / 8] ^ 1u << bit % 8);
	}
}

/* Spoils words of the frame at a place, and may be of those behind it; these
 * damages move nothing. */
static void spoil_words(const struct damage *damage)
{
	size_t first = frame_around(damage->start);
	size_t count = damage->way == NEIGHBOURS ? 1 + chance_below(4) : 1;

	for (size_t i = first; i < first + count && i < frame_count; i++) {
		unsigned sides = damage->way == PREFIX   ? 1
		                 : damage->way == SUFFIX ? 2
		                 : damage->way == BOTH_WORDS
		                         ? 3
		                         : 1 + (unsigned)chance_below(3);

		if ((sides & 1) != 0)
			flip(written + frames[i].start);
		if ((sides & 2) != 0)
			flip(written + frames[i].start + frames[i].total - 2);
	}
}

static void overwrite(const struct damage *damage)
{
	unsigned char *at = written + damage->start;
	size_t bytes = (size_t)damage->bytes;

	switch (damage->way) {
	case RANGE_OF_ZEROS: memset(at, 0, bytes); return;
	case RANGE_OF_ONES: memset(at, 0xff, bytes); return;
	case RANGE_OF_NOISE: fill(at, bytes, NOISE); return;
	case RANGE_OF_TEXT: fill(at, bytes, TEXT); return;
	case RANGE_OF_LOG:
		memmove(at, written + chance_below(written_bytes - bytes + 1),
		        bytes);
		return;
	default: return;
	}
}

/* Copies what was written to the damaged log, but for bytes that get lost, and
 * with those that are inserted. */
static void shift_bytes(void)
{
	size_t frame = 0;
	uint64_t from = 0;

	damaged_bytes = 0;
	for (size_t i = 0; i <= damage_count; i++) {
		struct damage *one = &damages[i];
		bool is_last = i == damage_count;
		bool moves = !is_last &&
		             (one->way == LOST || one->way == INSERTED);
		uint64_t to = is_last ? written_bytes : one->start;

		for (; frame < frame_count && frames[frame].start < to;
		     frame++) {
			frames[frame].is_gone = frames[frame].start < from;
			frames[frame].now =
				frames[frame].is_gone
					? damaged_bytes
					: damaged_bytes + frames[frame].start -
						  from;
		}
		memcpy(damaged + damaged_bytes, written + from, to - from);
		damaged_bytes += to - from;
		from = to;
		if (is_last)
			break;
		one->now = damaged_bytes;
		one->bytes_now = one->bytes;
		if (!moves)
			continue;
		if (one->start > 0 && one->start < written_bytes) {
			for (size_t j = frame_around(one->start);
			     j < frame_count &&
			     frames[j].start < one->start + one->bytes + 1;
			     j++)
				frames[j].cut |=
					frames[j].start + frames[j].total >
						one->start &&
					(one->way == LOST
				                 ? frames[j].start <
				                           one->start +
				                                   one->bytes
				                 : frames[j].start <
				                           one->start);
		}
		from += one->bytes;
		if (one->way == INSERTED) {
			one->bytes_now = any_magnitude(100000);
			if (one->bytes_now > 16384 + MOST_BYTES / MOST_DAMAGES)
				one->bytes_now = MOST_BYTES / MOST_DAMAGES;
			fill(damaged + damaged_bytes, (size_t)one->bytes_now,
			     chance_below(2) == 0 ? NOISE : TEXT);
			damaged_bytes += one->bytes_now;
		}
	}
}

/* Which frames are as they were, to all that can be seen. */
static void judge_frames(void)
{
	for (size_t i = 0; i < frame_count; i++) {
		struct frame *frame = &frames[i];

		frame->intact = !frame->cut && frame->total <= 65535 &&
		                frame->now + frame->total <= damaged_bytes &&
		                get16(damaged + frame->now) == frame->total &&
		                get16(damaged + frame->now + frame->total -
		                      2) == frame->total;
	}
}

static void do_damage(size_t most)
{
	choose_damages(most);
	for (size_t i = 0; i < damage_count; i++) {
		if (damages[i].way <= NEIGHBOURS)
			spoil_words(&damages[i]);
		else
			overwrite(&damages[i]);
	}
	shift_bytes();
	if (chance_below(4) == 0 && damaged_bytes > 100)
		damaged_bytes -= any_magnitude(damaged_bytes / 4);
	judge_frames();
}

/* ----------------------------------------------------------------- judgement */

struct visit {
	size_t next; /* the first frame that was not passed yet */
	unsigned char *kept;
	uint64_t invented;
	uint64_t first_invented;
	uint32_t first_size;
};

static unsigned char is_kept[MOST_FRAMES];
/* Other bytes that look as good lie over a part of it. */
static unsigned char is_disputed[MOST_FRAMES];

/* Whether frames were copied there with other bytes. */
static bool is_copy(uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < damage_count; i++) {
		if (damages[i].way == RANGE_OF_LOG && damages[i].now < end &&
		    start < damages[i].now + damages[i].bytes_now)
			return true;
	}
	return false;
}

/* Whether it lies in what is left of a frame both of whose words are gone. */
static bool is_inner(uint64_t start, uint64_t end, size_t frame)
{
	const struct frame *around = &frames[frame];
	bool has_company = (frame > 0 && !frames[frame - 1].intact) ||
	                   (frame + 1 < frame_count &&
	                    !frames[frame + 1].intact);

	if (log_kind != FRAMED && log_kind != LOGS && log_kind != MIXED)
		return false;
	return !around->intact && around->now < start &&
	       (around->cut || has_company ||
	        (end < around->now + around->total &&
	         get16(damaged + around->now) != (around->total & 0xffff) &&
	         get16(damaged + around->now + around->total - 2) !=
	                 (around->total & 0xffff)));
}

static void dispute(uint64_t start, uint64_t end, size_t frame)
{
	for (; frame < frame_count && frames[frame].now < end; frame++)
		is_disputed[frame] |= start <
		                      frames[frame].now + frames[frame].total;
}

/* Whether what is left of a frame that lost bytes looks like a good one. */
static bool is_joined(uint64_t start, size_t frame)
{
	return frames[frame].cut && frames[frame].now == start;
}

static int visit_frames(void *context, const struct shmlog_frame *batch,
                        size_t count)
{
	struct visit *visit = context;

	for (size_t i = 0; i < count; i++) {
		uint64_t start = batch[i].cursor;
		uint64_t end = batch[i].next_cursor;

		while (visit->next < frame_count &&
		       (frames[visit->next].now < start ||
		        (!frames[visit->next].intact &&
		         frames[visit->next].now <= start)))
			visit->next++;

		const struct frame *frame = &frames[visit->next];
		size_t around = visit->next > 0 ? visit->next - 1 : 0;

		/* Those that are lost as a whole are nowhere. */
		while (around > 0 && frames[around].is_gone)
			around--;

		if (visit->next < frame_count && frame->intact &&
		    frame->now == start && frame->now + frame->total == end) {
			is_kept[visit->next] = 1;
			continue;
		}
		if (is_copy(start, end) || is_joined(start, around)) {
			copies++;
			dispute(start, end, around);
		} else if (is_inner(start, end, around)) {
			inner++;
			dispute(start, end, around);
		} else {
			if (visit->invented++ == 0) {
				visit->first_invented = start;
				visit->first_size = (uint32_t)(end - start);
			}
		}
	}
	return 0;
}

static bool follows(size_t frame)
{
	return frames[frame].intact && frames[frame + 1].intact &&
	       frames[frame].now + frames[frame].total == frames[frame + 1].now;
}

/* Whether frames of 65,535 bytes may be nothing but bytes 0xff, their words
 * included. */
static bool has_full_frames(void)
{
	if (log_sizes != LARGEST)
		return false;
	for (size_t i = 0; i < damage_count; i++) {
		if (damages[i].way == RANGE_OF_ONES)
			return true;
	}
	return log_kind == ONES;
}

/* Whether a log leaves no doubt. */
static bool is_plain(void)
{
	bool is_tiny = log_sizes == TINY || log_sizes == EMPTY ||
	               (log_sizes == FIXED && frames[0].total < 12);

	return log_kind != FRAMED && log_kind != LOGS && log_kind != MIXED &&
	       log_kind != SMALL_NUMBERS && !is_tiny && !has_full_frames() &&
	       damage_count <= 32 && damage_count * 4 <= frame_count;
}

static void check(const struct visit *visit)
{
	uint64_t lost = 0;
	size_t first = 0;

	for (size_t i = 0, run; i < frame_count; i += run) {
		run = 1;
		while (i + run < frame_count && follows(i + run - 1))
			run++;
		if (run < 3)
			continue;
		for (size_t j = i; j < i + run; j++) {
			if (is_kept[j] || is_disputed[j])
				continue;
			if (lost++ == 0)
				first = j;
		}
	}
	hard_logs += is_plain() ? 0 : 1;
	if (lost == 0 && visit->invented == 0)
		return;
	hard_errors += is_plain() ? 0 : 1;
	printf("%s: SEED=%" PRIu64 " round %" PRIu64
	       " (%s payloads, %s sizes, %zu frames, "
	       "%zu damages): %" PRIu64 " lost, the first at cursor %" PRIu64
	       " with %u bytes; %" PRIu64 " invented, the first at %" PRIu64
	       " with %u bytes\n",
	       campaign_name, round_seed, round_number, kind_names[log_kind],
	       size_names[log_sizes], frame_count, damage_count, lost,
	       lost > 0 ? frames[first].now : 0,
	       lost > 0 ? frames[first].total : 0, visit->invented,
	       visit->first_invented, visit->first_size);
	if (is_plain() && getenv("KEEP") == NULL)
		campaign_fail("round %" PRIu64, round_number);
}

static void write_log(const char *path)
{
	uint64_t header[3] = {24, 24, 24 + damaged_bytes};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, header, 24) != 24 ||
	    write(fd, damaged, damaged_bytes) != (ssize_t)damaged_bytes)
		campaign_fail("%s: %s", path, strerror(errno));
	close(fd);
}

static void verify(const char *path)
{
	struct visit visit = {0};
	const struct shmlog_verify_visitor visitor = {
		.frames = visit_frames,
		.context = &visit,
		.sizes_only = round_number % 2 == 0,
	};
	struct shmlog_verify_report report;
	struct shmlog *log;
	int status;

	memset(is_kept, 0, frame_count);
	memset(is_disputed, 0, frame_count);
	if ((status = shmlog_open(path, &log)) != 0)
		campaign_fail("%s: %s", path, shmlog_strerror(status));
	status = shmlog_verify(log, &visitor, &report);
	shmlog_close(log);
	if (status < 0)
		campaign_fail("%s: %s", path, shmlog_strerror(status));
	check(&visit);
}

static void play(const char *path, uint64_t number)
{
	static const size_t most[] = {1, 2, 5, 20, 100, 1000};

	round_number = number;
	campaign_chance = (round_seed * 1000003 + number) *
	                          UINT64_C(0x9e3779b97f4a7c15) |
	                  1;
	for (int i = 0; i < 4; i++)
		(void)chance();
	log_kind = (enum kind)chance_below(KINDS);
	log_sizes = (enum sizes)chance_below(SIZES);
	if (log_sizes == EMPTY || log_sizes == TINY)
		make_log(any_magnitude(300000));
	else
		make_log(any_magnitude(MOST_BYTES / 2));
	if (written_bytes == 0)
		return;
	do_damage(1 + chance_below(most[chance_below(6)]));
	write_log(path);
	verify(path);
}

int main(int argc, char **argv)
{
	char path[1024];
	uint64_t first = argc > 3 ? campaign_number(argv[3]) : 0;
	uint64_t rounds;

	if (argc < 3)
		return 2;
	campaign_begin("damage", 36000);
	round_seed = campaign_chance;
	rounds = campaign_number(argv[2]);
	snprintf(path, sizeof(path), "%s/log", argv[1]);
	for (uint64_t i = first; i < first + rounds; i++)
		play(path, i);
	if (hard_errors * 10 > hard_logs + 50)
		campaign_fail("%" PRIu64 " of %" PRIu64 " hard logs misread",
		              hard_errors, hard_logs);
	return campaign_pass("%" PRIu64
	                     " damaged logs: every run of three frames kept, "
	                     "none invented, but in %" PRIu64 " of %" PRIu64
	                     " hard ones; %" PRIu64 " copies and %" PRIu64
	                     " frames of payloads that nobody can tell",
	                     rounds, hard_errors, hard_logs, copies, inner);
}
