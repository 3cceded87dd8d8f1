/* The warp-wide operations: which lane holds which element of a fragment, after the PTX ISA,
 * "Matrix fragments for mma.m16n8k16", "... mma.m16n8k8" and "ldmatrix". With group = lane / 4 and
 * pair = lane % 4:
 *
 *   A (16, 16)  a0: row group,     columns 2 pair, 2 pair + 1      a1: row group + 8, same columns
 *               a2: row group,     columns 2 pair + 8, + 9         a3: row group + 8, those
 *   B (16, 8)   b0: rows 2 pair, 2 pair + 1, column group          b1: rows + 8
 *   C (16, 8)   c0, c1: row group, columns 2 pair, 2 pair + 1      c2, c3: row group + 8
 *   A (16, 8) of m16n8k8: a0, a1 as above; B (8, 8): b0
 *
 * The lower half of a register holds the element of the lower index. */
#include "block.h"
#include "include/cuda_bf16.h"
#include "include/cuda_fp16.h"
#include "state.h"

namespace emulator
{

void complete_nothing(void *const *, unsigned)
{
}

void complete_shuffle(void *const lanes[32], unsigned mask)
{
    for (unsigned i = 0; i < 32; i++) {
        if (!(mask >> i & 1)) continue;
        Shuffle *s = (Shuffle *)lanes[i];
        if (!(mask >> s->from & 1)) fatal("lane %u reads lane %u, which takes no part", i, s->from);
        s->out = ((Shuffle *)lanes[s->from])->in;
    }
}

static float bf16_at(uint32_t pair, unsigned half)
{
    return __bfloat162float(__nv_bfloat16{(uint16_t)(pair >> 16 * half)});
}

static float f16_at(uint32_t pair, unsigned half)
{
    return __half2float(__half{(uint16_t)(pair >> 16 * half)});
}

template <int K>
static void mma(void *const lanes[32], unsigned mask, float (*at)(uint32_t, unsigned))
{
    float a[16][K], b[K][8];

    if (mask != 0xFFFFFFFF) fatal("mma with mask %08x", mask);
    for (unsigned lane = 0; lane < 32; lane++) {
        const Mma *m = (const Mma *)lanes[lane];
        unsigned group = lane / 4, pair = 2 * (lane % 4);
        for (unsigned half = 0; half < 2; half++) {
            for (unsigned block = 0; block < K / 8; block++) {
                a[group][pair + 8 * block + half] = at(m->a[2 * block], half);
                a[group + 8][pair + 8 * block + half] = at(m->a[2 * block + 1], half);
                b[pair + 8 * block + half][group] = at(m->b[block], half);
            }
        }
    }
    for (unsigned lane = 0; lane < 32; lane++) {
        float *c = ((const Mma *)lanes[lane])->c;
        for (unsigned i = 0; i < 4; i++) {
            unsigned row = lane / 4 + 8 * (i / 2), col = 2 * (lane % 4) + i % 2;
            for (int k = 0; k < K; k++) c[i] += a[row][k] * b[k][col];
        }
    }
}

void complete_mma_bf16(void *const lanes[32], unsigned mask)
{
    mma<16>(lanes, mask, bf16_at);
}

void complete_mma_f16(void *const lanes[32], unsigned mask)
{
    mma<16>(lanes, mask, f16_at);
}

void complete_mma_f16_k8(void *const lanes[32], unsigned mask)
{
    mma<8>(lanes, mask, f16_at);
}

/* Lanes 8 i ... 8 i + 7 point to the rows of matrix i; lane l gets in register i the elements
 * 2 (l % 4) and 2 (l % 4) + 1 of row l / 4, or with .trans of column l / 4. */
static void ldmatrix(void *const lanes[32], unsigned mask, bool trans)
{
    const void *rows[32];
    uint16_t m[4][8][8];

    if (mask != 0xFFFFFFFF) fatal("ldmatrix with mask %08x", mask);
    for (unsigned lane = 0; lane < 32; lane++) {
        rows[lane] = ((const Ldmatrix *)lanes[lane])->row;
        check_access(rows[lane], 16);
        memcpy(m[lane / 8][lane % 8], rows[lane], 16);
    }
    count_banks(rows, 32);
    for (unsigned lane = 0; lane < 32; lane++) {
        for (unsigned i = 0; i < 4; i++) {
            unsigned a = lane / 4, b = 2 * (lane % 4);
            uint16_t low = trans ? m[i][b][a] : m[i][a][b];
            uint16_t high = trans ? m[i][b + 1][a] : m[i][a][b + 1];
            ((Ldmatrix *)lanes[lane])->out[i] = low | (uint32_t)high << 16;
        }
    }
}

void complete_ldmatrix(void *const lanes[32], unsigned mask)
{
    ldmatrix(lanes, mask, false);
}

void complete_ldmatrix_trans(void *const lanes[32], unsigned mask)
{
    ldmatrix(lanes, mask, true);
}

/* Shared memory has 32 banks of 4 bytes: a phase of eight lanes with 16 bytes each is free of
 * conflicts if they fill all of them, or read the same bytes. */
void count_banks(const void *const rows[], unsigned n)
{
    for (unsigned phase = 0; phase < n; phase += 8) {
        bool conflict = false;
        for (unsigned i = phase; i < phase + 8; i++)
            for (unsigned j = phase; j < i; j++)
                if (rows[i] != rows[j] && (uintptr_t)rows[i] % 128 == (uintptr_t)rows[j] % 128)
                    conflict = true;
        machine.counts.shared_phases++;
        machine.counts.bank_conflicts += conflict;
    }
}

} // namespace emulator
