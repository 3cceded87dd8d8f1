/* Counter-based random numbers (Philox4x32-10, Salmon et al. 2011): the value is a pure function
 * of (key, counter), so it depends on neither thread nor rank nor order. Local; thread-safe. */
#ifndef GE_BASE_RNG_H
#define GE_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Four 32-bit words for a key and a 128-bit counter. */
void ge_philox(uint64_t key, uint64_t ctr_hi, uint64_t ctr_lo, uint32_t out[4]);

/* The words of 64 counters from ctr_lo on, many at once: out[64 w + i] is word w of counter
 * ctr_lo + i. */
enum { GE_PHILOX_COUNTERS = 64, GE_PHILOX_WORDS = 4 * GE_PHILOX_COUNTERS };
void ge_philox_fill(uint64_t key, uint64_t ctr_hi, uint64_t ctr_lo, uint32_t out[GE_PHILOX_WORDS]);

/* Uniform in [0, 1) with 53 bits for (seed, stream, index). */
double ge_uniform(uint64_t seed, uint64_t stream, uint64_t index);

/* Mix two words into a seed (SplitMix64 finaliser). */
uint64_t ge_mix(uint64_t a, uint64_t b);

#endif
