// Random numbers by integer arithmetic alone, so that every processor sees the same ones.
#include "inputs.h"
#include <stdlib.h>
#include <string.h>

const size_t apus_lengths[LENGTHS] = {1, 2, 7, 15, 16, 17, 31, 32, 33, 48, 100, 256, 300, 389};

uint64_t apus_next(hashing *h) {
    h->random ^= h->random << 13;
    h->random ^= h->random >> 7;
    h->random ^= h->random << 17;
    return h->random * 0x2545f4914f6cdd1dull;
}

size_t apus_below(hashing *h, size_t limit) { return (size_t)((apus_next(h) >> 33) % limit); }

// Blocks that the case in progress took.
enum { MOST_BLOCKS = 1 << 14 };
static void *blocks[MOST_BLOCKS];
static size_t block_count;

void *apus_memory(size_t bytes) {
    // Whole vectors may be read behind a row's end, where a kernel's contract allows it.
    void *block = block_count < MOST_BLOCKS ? calloc(1, bytes + 256) : 0;
    if (!block) abort();
    blocks[block_count++] = block;
    return block;
}

void apus_forget_inputs(void) {
    while (block_count > 0) free(blocks[--block_count]);
}

float *apus_output(size_t n) {
    float *x = apus_memory(n * sizeof(float));
    for (size_t i = 0; i < n; i++) x[i] = 0.75f;
    return x;
}

float *apus_numbers(hashing *h, size_t n, float scale) {
    float *x = apus_memory(n * sizeof(float));
    for (size_t i = 0; i < n; i++) x[i] = (float)((int32_t)(apus_next(h) >> 39) - (1 << 24)) * 0x1p-24f * scale;
    return x;
}

static float of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

float *apus_wild_numbers(hashing *h, size_t n) {
    static const uint32_t directed[] = {0, 1, 0x7fffff, 0x800000, 0x800001, 0xc00000, 0x400000, 0x3f800000, 0x3f808000,
        0x3f818000, 0x7f7fffff, 0x7f7f8000, 0x42aeac50, 0x42b00a3d, 0x3e99999a, 0x33800000};
    float *x = apus_memory(n * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = (uint32_t)(apus_next(h) >> 32), sign = bits & 0x80000000u;
        switch (apus_below(h, 4)) {
            case 0: x[i] = of_bits(sign | directed[apus_below(h, sizeof directed / sizeof *directed)]); break;
            case 1: x[i] = of_bits(sign | (uint32_t)(50 + apus_below(h, 20)) << 23 | (bits & 0x7fffff)); break;
            default: x[i] = of_bits(sign | (uint32_t)(110 + apus_below(h, 25)) << 23 | (bits & 0x7fffff)); break;
        }
    }
    return x;
}

float *apus_any_numbers(hashing *h, size_t n) {
    static const uint32_t directed[] = {0x7f800000, 0xff800000, 0x7fc00000, 0x7fffffff, 0x7f800001, 0xffffffff};
    float *x = apus_wild_numbers(h, n);
    for (size_t i = apus_below(h, 5); i < n; i += 1 + apus_below(h, 40))
        x[i] = of_bits(directed[apus_below(h, sizeof directed / sizeof *directed)]);
    return x;
}

uint16_t *apus_bits(hashing *h, size_t words) {
    uint16_t *x = apus_memory(words * sizeof(uint16_t));
    for (size_t i = 0; i < words; i++) x[i] = (uint16_t)(apus_next(h) >> 40);
    return x;
}

const int apus_lane_cases[LANE_CASES][9] = {{1, -1}, {70, -1}, {5, 0, 32, 3, -1}, {33, 64, 1, -1},
    {31, 17, 2, 90, 3, 3, 8, 40, -1}};

// A lane is joined once for each node of the tree whose last lane it is.
static void join(uint8_t *joins, size_t first, size_t count) {
    if (count <= 1) return;
    size_t half = 1;
    while (half * 2 < count) half *= 2;
    join(joins, first, half);
    join(joins, first + half, count - half);
    joins[first + count - 1]++;
}

const apus_lanes *apus_lanes_of(const int *rows) {
    apus_lanes *lanes = apus_memory(sizeof *lanes);
    int32_t *first = apus_memory(10 * sizeof *first);
    uint8_t *joins = apus_memory(10);
    for (; rows[lanes->count] >= 0; lanes->count++) first[lanes->count + 1] = first[lanes->count] + rows[lanes->count];
    join(joins, 0, lanes->count);
    lanes->first = first;
    lanes->joins = joins;
    return lanes;
}

size_t apus_rows_of(const apus_lanes *lanes) { return (size_t)lanes->first[lanes->count]; }

void apus_add_word(hashing *h, uint64_t x) {
    for (int byte = 0; byte < 8; byte++) h->hash = (h->hash ^ (x >> 8 * byte & 0xff)) * 0x100000001b3ull;
}

void apus_add_words(hashing *h, const uint32_t *x, size_t n) {
    for (size_t i = 0; i < n; i++) apus_add_word(h, x[i]);
}

void apus_add_floats(hashing *h, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        apus_add_word(h, (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits);
    }
}

void apus_add_double(hashing *h, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    apus_add_word(h, x != x ? 0x7ff8000000000000ull : bits);
}
