/*
 * What the processor has for code that is written for some of them.  The C
 * library knows it from its own start; what the compiler offers asks the
 * processor again before main(), which takes a tenth of a millisecond on a
 * virtual machine.
 */
#ifndef SHMLOG_PROCESSOR_H
#define SHMLOG_PROCESSOR_H

#include <stdbool.h>

#if defined(__x86_64__) && defined(__has_include)
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif
#endif

/* Whether it has AVX2 and BMI, and the system keeps their registers. */
static inline bool shmlog_processor_has_avx2(void)
{
#if defined(CPU_FEATURE_ACTIVE) /* glibc 2.34 and later */
	return CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(BMI1);
#elif (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
#else
	return false;
#endif
}

#endif
