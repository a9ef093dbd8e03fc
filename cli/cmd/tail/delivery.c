/* Remembers where in an output frames begin. */
#include "delivery.h"

#include <stdlib.h>
#include <string.h>

void cli_delivery_release(struct cli_delivery *delivery)
{
	free(delivery->marks);
	*delivery = (struct cli_delivery){0};
}

/* How many marks are of what is written. */
static size_t count_written(const struct cli_delivery *delivery,
                            uint64_t written)
{
	size_t first = 0, last = delivery->count;

	while (first < last) {
		size_t middle = first + (last - first) / 2;

		if (delivery->marks[middle].bytes <= written)
			first = middle + 1;
		else
			last = middle;
	}
	return first;
}

/* Drops what is written but for the last of it, the answer so far. */
static void drop_written(struct cli_delivery *delivery, uint64_t written)
{
	size_t gone = count_written(delivery, written);

	if (gone <= 1)
		return;
	delivery->count -= gone - 1;
	memmove(delivery->marks, delivery->marks + gone - 1,
	        delivery->count * sizeof(*delivery->marks));
}

static int make_room(struct cli_delivery *delivery, uint64_t written)
{
	struct cli_mark *larger;
	size_t capacity = delivery->capacity;

	if (delivery->count < capacity)
		return 0;
	drop_written(delivery, written);
	if (delivery->count <= capacity / 2 && capacity > 0)
		return 0;
	capacity = capacity == 0 ? 64 : capacity * 2;
	larger = realloc(delivery->marks, capacity * sizeof(*larger));
	if (larger == NULL)
		return -1;
	delivery->marks = larger;
	delivery->capacity = capacity;
	return 0;
}

void cli_delivery_note(struct cli_delivery *delivery,
                       const struct cli_mark *mark, uint64_t written)
{
	/* Without the memory, what is remembered is still true. */
	if (make_room(delivery, written) == 0)
		delivery->marks[delivery->count++] = *mark;
}

const struct cli_mark *cli_delivery_find(const struct cli_delivery *delivery,
                                         uint64_t written)
{
	size_t count = count_written(delivery, written);

	return count > 0 ? &delivery->marks[count - 1] : NULL;
}
