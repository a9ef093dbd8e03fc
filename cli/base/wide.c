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

_Atomic int cli_wide_known;

#if defined(CPU_FEATURE_ACTIVE) /* glibc 2.34 and later */
static bool has_all(void)
{
	return CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(BMI1) &&
	       CPU_FEATURE_ACTIVE(BMI2) && CPU_FEATURE_ACTIVE(POPCNT) &&
	       CPU_FEATURE_ACTIVE(PCLMULQDQ);
}
#elif defined(__x86_64__) && defined(__GNUC__)
static bool has_all(void)
{
	return __builtin_cpu_supports("avx2") &&
	       __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2") &&
	       __builtin_cpu_supports("popcnt") &&
	       __builtin_cpu_supports("pclmul");
}
#else
static bool has_all(void)
{
	return false;
}
#endif

bool cli_wide_look(void)
{
	bool wide = has_all();

	atomic_store_explicit(&cli_wide_known, wide ? 1 : -1,
	                      memory_order_relaxed);
	return wide;
}
