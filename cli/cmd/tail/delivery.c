/* Remembers where in an output batches of frames begin. */
#include "delivery.h"

bool cli_delivery_is_full(const struct cli_delivery *delivery)
{
	return delivery->count == CLI_DELIVERY_MARKS;
}

void cli_delivery_note(struct cli_delivery *delivery,
                       const struct cli_mark *mark)
{
	delivery->marks[delivery->count++] = *mark;
}

size_t cli_delivery_count(const struct cli_delivery *delivery, uint64_t written)
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
