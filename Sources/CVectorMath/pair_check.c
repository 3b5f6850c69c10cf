// The plain form of a chain over pairs in bf16, and whether a unit of the processor gives its bits.
#include "pair_units.h"
#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

static float even_of(uint32_t pair) {
    const uint32_t bits = pair << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float odd_of(uint32_t pair) {
    const uint32_t bits = pair & 0xffff0000u;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// What is subnormal counts as zero of its sign.
static float normal(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0.0f, x) : x; }

static float chain(float a, float b, float c) {
    a = normal(a);
    b = normal(b);
    const float r = fmaf(a, b, c);
    if (fabsf(r) == 0x1p-126f && fabsf(fmaf(a * 0x1p64f, b, c * 0x1p64f)) < 0x1p-62f) return copysignf(0.0f, r);
    return normal(r);
}

float apus_plain_chain(const uint32_t *left, const uint32_t *right, size_t right_step, size_t pairs, int order,
    float start) {
    float sum = normal(start);
    if (order == APUS_PAIR_ORDER) {
        for (size_t p = 0; p < pairs; p++) {
            sum = chain(odd_of(left[p]), odd_of(right[p * right_step]), sum);
            sum = chain(even_of(left[p]), even_of(right[p * right_step]), sum);
        }
        return sum;
    }
    for (size_t first = 0; first < pairs; first += 16) {
        float even = 0, odd = 0;
        for (size_t p = first; p < first + 16; p++) {
            even = chain(even_of(left[p]), even_of(right[p * right_step]), even);
            odd = chain(odd_of(left[p]), odd_of(right[p * right_step]), odd);
        }
        sum = normal(sum + normal(even + odd));
    }
    return sum;
}

enum { ROWS = 16, COLUMNS = 32, PAIRS = 32, ROUNDS = 24 };

// A number in bf16: an ordinary one, or one whose products lie at the edge of the normal numbers.
static uint32_t number(uint64_t random, int kind) {
    static const uint16_t directed[] = {0x0000, 0x8000, 0x0001, 0x807f, 0x0080, 0x8080, 0x3f80, 0xbf80, 0x7f80, 0x3fc0,
        0x2000, 0x1f80, 0x9fc0, 0x5f80, 0x7f7f, 0x00c0};
    const uint32_t bits = (uint32_t)random & 0x807fu;
    switch (kind) {
        case 0: return bits | (uint32_t)(121 + (random >> 32) % 12) << 7;
        case 1: return bits | (uint32_t)(60 + (random >> 32) % 9) << 7;
        default: return directed[(random >> 32) % (sizeof directed / sizeof *directed - (kind == 2 ? 8 : 0))];
    }
}

static int is_number(float x) { return !(x != x); }

int apus_pairs_agree(apus_pair_unit unit, int order) {
    uint32_t left[ROWS * PAIRS], right[PAIRS * COLUMNS];
    float start[ROWS * COLUMNS], found[ROWS * COLUMNS];
    float scratch[2 * PAIRS * 16];
    const float edges[] = {0.0f, -0.0f, 0x1p-126f, -0x1p-126f, 0x1.8p-126f, 1.0f, -0x1p-125f, 0x1.fffffep-126f};
    uint64_t state = 0x9e3779b97f4a7c15u;
    for (int round = 0; round < ROUNDS; round++) {
        const int kind = round % 4;
        for (size_t i = 0; i < ROWS * PAIRS + PAIRS * COLUMNS + ROWS * COLUMNS; i++) {
            uint64_t r[2];
            for (int k = 0; k < 2; k++) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                r[k] = state;
            }
            if (i < ROWS * PAIRS) left[i] = number(r[0], kind) | number(r[1], kind) << 16;
            else if (i < ROWS * PAIRS + PAIRS * COLUMNS) right[i - ROWS * PAIRS] = number(r[0], kind)
                | number(r[1], kind) << 16;
            else start[i - ROWS * PAIRS - PAIRS * COLUMNS] = kind == 0 ? (float)(r[0] % 1000) : edges[r[0] % 8];
        }
        memcpy(found, start, sizeof found);
        const apus_pair_block block = {ROWS, COLUMNS, PAIRS, PAIRS, PAIRS * COLUMNS, COLUMNS, order, 1};
        unit(&block, left, right, found, scratch);
        for (size_t i = 0; i < ROWS; i++)
            for (size_t j = 0; j < COLUMNS; j++) {
                const float x = apus_plain_chain(left + i * PAIRS, right + j, COLUMNS, PAIRS, order, start[i * COLUMNS
                    + j]);
                const float y = found[i * COLUMNS + j];
                if (is_number(x) != is_number(y) || (is_number(x) && memcmp(&x, &y, sizeof x) != 0)) return 0;
            }
    }
    return 1;
}
