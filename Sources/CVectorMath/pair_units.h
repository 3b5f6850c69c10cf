// The processor's units that multiply numbers in bf16.
#ifndef APUS_PAIR_UNITS_H
#define APUS_PAIR_UNITS_H
#include "vector_math.h"

typedef void (*apus_pair_unit)(const apus_pair_block *, const uint32_t *, const uint32_t *, float *, float *);

/// VDPBF16PS, where it is faster than two fused multiply-adds, or, if asked for, wherever it is; else null.
apus_pair_unit apus_dot_product_unit(int even_if_slow);
/// TDPBF16PS (AMX), if the system lets this process use it; else null.
apus_pair_unit apus_tile_unit(void);
/// Whether a unit gives the bits of the plain form for numbers that decide: ordinary ones, ones at the edge of the
/// normal numbers, zeros of both signs, infinities.
int apus_pairs_agree(apus_pair_unit unit, int order);
/// The plain form of an element: see docs/arithmetic.md.
float apus_plain_chain(const uint32_t *left, const uint32_t *right, size_t right_step, size_t pairs, int order,
    float start);

#endif
