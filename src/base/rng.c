/* Philox4x32-10. J. Salmon, M. Moraes, R. Dror, D. Shaw: Parallel random numbers: as easy as
 * 1, 2, 3. SC 2011. */
#include "base/rng.h"

#include "base/clones.h"

enum { ROUNDS = 10 };

void ge_philox(uint64_t key, uint64_t ctr_hi, uint64_t ctr_lo, uint32_t out[4])
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)ctr_lo, c1 = (uint32_t)(ctr_lo >> 32);
    uint32_t c2 = (uint32_t)ctr_hi, c3 = (uint32_t)(ctr_hi >> 32);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* The same, in loops over the counters that the compiler makes vector code of. */
GE_CLONES void ge_philox_fill(uint64_t key, uint64_t ctr_hi, uint64_t ctr_lo,
                              uint32_t out[GE_PHILOX_WORDS])
{
    enum { N = GE_PHILOX_COUNTERS };
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32), high0[N], high1[N];
    uint32_t *c0 = out, *c1 = out + N, *c2 = out + 2 * N, *c3 = out + 3 * N;
    for (int i = 0; i < N; i++) {
        uint64_t counter = ctr_lo + (uint64_t)i;
        c0[i] = (uint32_t)counter;
        c1[i] = (uint32_t)(counter >> 32);
        c2[i] = (uint32_t)ctr_hi;
        c3[i] = (uint32_t)(ctr_hi >> 32);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < N; i++) {
            high0[i] = (uint32_t)((uint64_t)0xD2511F53u * c0[i] >> 32);
            high1[i] = (uint32_t)((uint64_t)0xCD9E8D57u * c2[i] >> 32);
        }
        for (int i = 0; i < N; i++) {
            uint32_t low0 = 0xD2511F53u * c0[i], low1 = 0xCD9E8D57u * c2[i];
            c0[i] = high1[i] ^ c1[i] ^ k0;
            c1[i] = low1;
            c2[i] = high0[i] ^ c3[i] ^ k1;
            c3[i] = low0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

double ge_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t w[4];
    ge_philox(seed, stream, index, w);
    uint64_t bits = (uint64_t)w[1] << 32 | w[0];
    return (double)(bits >> 11) * 0x1p-53;
}

uint64_t ge_mix(uint64_t a, uint64_t b)
{
    uint64_t z = a + 0x9E3779B97F4A7C15u * (b + 1);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}
