/* Finds the name that the user may have meant, by prefix and by edit
 * distance. */
#include "spelling.h"

#include <stdint.h>
#include <string.h>

/* A longer word cannot be a misspelling of a name here.  The limit bounds the
 * work, too. */
#define WORD_MAX 31u
/* A prefix is always nearer than a misspelling. */
#define SLIP_WEIGHT 1000u

void cli_spelling_init(struct cli_spelling *nearest, const char *given,
                       size_t given_bytes)
{
	nearest->given = given;
	nearest->given_bytes = given_bytes;
	nearest->best = NULL;
	nearest->best_distance = SIZE_MAX;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The edit distance: counts the characters to insert, drop, change or swap with
 * a neighbour. */
static size_t count_slips(const char *a, size_t a_bytes, const char *b,
                          size_t b_bytes)
{
	size_t rows[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= a_bytes; i++)
		rows[i][0] = i;
	for (size_t j = 0; j <= b_bytes; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_bytes; i++) {
		for (size_t j = 1; j <= b_bytes; j++) {
			size_t changed = a[i - 1] != b[j - 1];
			size_t slips = rows[i - 1][j - 1] + changed;

			slips = least(slips, rows[i - 1][j] + 1);
			slips = least(slips, rows[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				slips = least(slips, rows[i - 2][j - 2] + 1);
			rows[i][j] = slips;
		}
	}
	return rows[a_bytes][b_bytes];
}

void cli_spelling_offer(struct cli_spelling *nearest, const char *name)
{
	size_t name_bytes = strlen(name);
	size_t given_bytes = nearest->given_bytes;
	size_t distance;

	if (given_bytes == 0 || given_bytes > WORD_MAX || name_bytes > WORD_MAX)
		return;
	if (given_bytes <= name_bytes &&
	    memcmp(name, nearest->given, given_bytes) == 0) {
		distance = name_bytes - given_bytes;
	} else {
		size_t slips = count_slips(nearest->given, given_bytes, name,
		                           name_bytes);

		/* With more errors it is another word: "rate" is not a
		 * "create". */
		if (slips > least(given_bytes, name_bytes) / 3)
			return;
		distance = SLIP_WEIGHT * slips;
	}
	if (distance < nearest->best_distance) {
		nearest->best = name;
		nearest->best_distance = distance;
	}
}
