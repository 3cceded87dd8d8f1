/* GE_CLONES in front of a function: compile it once for every level of the CPU's vector unit and
 * choose at start. For integer code and for sums in a fixed order alone, whose bits do not depend on
 * the level (nothing is contracted: -ffp-contract=off). Elsewhere and under sanitizers: once. */
#ifndef GE_BASE_CLONES_H
#define GE_BASE_CLONES_H

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) &&                        \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GE_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define GE_CLONES
#endif

#endif
