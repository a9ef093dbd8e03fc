/*
 * Looks what the processor has.  The C library knows it from its own start.
 * What the compiler offers for this asks the processor another twenty times
 * before main(), whether anybody wants to know or not, and on a virtual machine
 * each of these questions goes to its host: that was an eighth of the time of
 * `tail -n 10`.
 */
#include "wide.h"

#if defined(__x86_64__) && defined(__has_include)
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif
#endif

_Atomic int cli_width_known;

#if defined(CPU_FEATURE_ACTIVE) /* glibc 2.34 and later */
static bool has_32(void)
{
	return CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(BMI1) &&
	       CPU_FEATURE_ACTIVE(BMI2) && CPU_FEATURE_ACTIVE(POPCNT) &&
	       CPU_FEATURE_ACTIVE(PCLMULQDQ);
}

static bool has_64(void)
{
	return CPU_FEATURE_ACTIVE(AVX512F) && CPU_FEATURE_ACTIVE(AVX512BW) &&
	       CPU_FEATURE_ACTIVE(AVX512_VBMI) &&
	       CPU_FEATURE_ACTIVE(AVX512_VBMI2);
}
#elif defined(__x86_64__) && defined(__GNUC__)
static bool has_32(void)
{
	return __builtin_cpu_supports("avx2") &&
	       __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2") &&
	       __builtin_cpu_supports("popcnt") &&
	       __builtin_cpu_supports("pclmul");
}

static bool has_64(void)
{
	return __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vbmi") &&
	       __builtin_cpu_supports("avx512vbmi2");
}
#else
static bool has_32(void)
{
	return false;
}

static bool has_64(void)
{
	return false;
}
#endif

int cli_width_look(void)
{
	int width = !has_32()   ? CLI_WIDTH_PLAIN
	            : !has_64() ? CLI_WIDTH_32
	                        : CLI_WIDTH_64;

	atomic_store_explicit(&cli_width_known, width, memory_order_relaxed);
	return width;
}
