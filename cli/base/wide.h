/* What the processor has for code that is written for some of them. */
#ifndef CLI_WIDE_H
#define CLI_WIDE_H

#include <stdatomic.h>
#include <stdbool.h>

/* Each has what the one before it has. */
enum cli_width {
	CLI_WIDTH_UNKNOWN,
	CLI_WIDTH_PLAIN,
	/* AVX2, BMI, BMI2, POPCNT and PCLMULQDQ */
	CLI_WIDTH_32,
	/* AVX-512 F, BW, VBMI and VBMI2: Intel since Ice Lake, AMD since Zen
	 * 4 */
	CLI_WIDTH_64,
};

extern _Atomic int cli_width_known;
/* Finds it out. */
int cli_width_look(void);

/* What the processor has of these, and the system keeps the registers of. */
static inline int cli_width(void)
{
	int known = atomic_load_explicit(&cli_width_known,
	                                 memory_order_relaxed);

	return known != CLI_WIDTH_UNKNOWN ? known : cli_width_look();
}

static inline bool cli_is_wide(void)
{
	return cli_width() >= CLI_WIDTH_32;
}

static inline bool cli_is_wider(void)
{
	return cli_width() >= CLI_WIDTH_64;
}

#endif
