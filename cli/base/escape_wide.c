/* The table by which text gets its backslashes. */
#include "escape_wide.h"

#ifdef CLI_ESCAPE_WIDE

/*
 * For each set of those of eight bytes that need a backslash, which byte goes
 * to which place.  The ninth byte is a backslash.  An entry is put together
 * from the places of each byte, the first one being the lowest bit of the set,
 * and what is behind them is written over later.
 */
#define P0_0 "\0"
#define P0_1 "\10\0"
#define P1_0 "\1"
#define P1_1 "\10\1"
#define P2_0 "\2"
#define P2_1 "\10\2"
#define P3_0 "\3"
#define P3_1 "\10\3"
#define P4_0 "\4"
#define P4_1 "\10\4"
#define P5_0 "\5"
#define P5_1 "\10\5"
#define P6_0 "\6"
#define P6_1 "\10\6"
#define P7_0 "\7"
#define P7_1 "\10\7"
#define SET(b7, b6, b5, b4, b3, b2, b1, b0) \
	P0_##b0 P1_##b1 P2_##b2 P3_##b3 P4_##b4 P5_##b5 P6_##b6 P7_##b7
#define SETS1(...) SET(__VA_ARGS__, 0), SET(__VA_ARGS__, 1)
#define SETS2(...) SETS1(__VA_ARGS__, 0), SETS1(__VA_ARGS__, 1)
#define SETS3(...) SETS2(__VA_ARGS__, 0), SETS2(__VA_ARGS__, 1)
#define SETS4(...) SETS3(__VA_ARGS__, 0), SETS3(__VA_ARGS__, 1)
#define SETS5(...) SETS4(__VA_ARGS__, 0), SETS4(__VA_ARGS__, 1)
#define SETS6(...) SETS5(__VA_ARGS__, 0), SETS5(__VA_ARGS__, 1)
#define SETS7(...) SETS6(__VA_ARGS__, 0), SETS6(__VA_ARGS__, 1)

const char cli_escape_spreads[256][16] = {SETS7(0), SETS7(1)};

#else

/* A file without any declaration is no C. */
extern const char cli_escape_spreads[256][16];

#endif
