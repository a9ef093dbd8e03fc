/* What the processor has for code that is written for some of them. */
#ifndef CLI_WIDE_H
#define CLI_WIDE_H

#include <stdatomic.h>
#include <stdbool.h>

/* 1 or -1 once it is known. */
extern _Atomic int cli_wide_known;
/* Finds it out. */
bool cli_wide_look(void);

/* Whether it has all of AVX2, BMI, BMI2, POPCNT and PCLMULQDQ, and the system
 * keeps their registers. */
static inline bool cli_is_wide(void)
{
	int known = atomic_load_explicit(&cli_wide_known,
	                                 memory_order_relaxed);

	return known != 0 ? known > 0 : cli_wide_look();
}

#endif
