// Cases of factors in bf16 and of their products, ordinary numbers and those at the edge of the normal ones.
#include "cases.h"
#include <string.h>

static const size_t shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {6, 16, 32}, {14, 32, 33}, {16, 33, 64}, {17, 31, 31},
    {33, 70, 95}, {40, 65, 430}, {7, 550, 33}, {2, 2, 800}};
enum { SHAPES = 10, KINDS = 3 };

static float *numbers(hashing *h, size_t n, int kind) {
    return kind == 0 ? apus_numbers(h, n, 1) : kind == 1 ? apus_wild_numbers(h, n) : apus_any_numbers(h, n);
}

static uint32_t *words(size_t n) { return apus_memory(n * sizeof(uint32_t)); }

// Whether a word of a rounded pair is NaN in a half is all that counts of it.
static void add_pairs(hashing *h, const uint32_t *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t pair = x[i];
        if ((pair & 0x7fffu) > 0x7f80u) pair = (pair & 0xffff0000u) | 0x7fc0u;
        if ((pair & 0x7fff0000u) > 0x7f800000u) pair = (pair & 0xffffu) | 0x7fc00000u;
        apus_add_word(h, pair);
    }
}

typedef void (*packing)(size_t rows, size_t n, const float *x, size_t x_row, uint32_t *y, size_t y_row);

static void pack(hashing *h, packing kernel, int left, int turned) {
    for (int i = 0; i < SHAPES; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            const size_t rows = shapes[i][1], n = shapes[i][2], outer = left != turned ? rows : n;
            const size_t pairs = apus_stored_pairs(left != turned ? n : rows);
            const size_t distance = left ? pairs + 16 : pairs * 32;
            const size_t count = left ? outer * distance : (outer + 31) / 32 * distance;
            uint32_t *y = words(count);
            kernel(rows, n, numbers(h, rows * (n + 2), kind), n + 2, y, distance);
            add_pairs(h, y, count);
        }
}

void apus_case_left_pairs(hashing *h) { pack(h, apus_left_pairs, 1, 0); }
void apus_case_left_pairs_turned(hashing *h) { pack(h, apus_left_pairs_turned, 1, 1); }
void apus_case_right_pairs(hashing *h) { pack(h, apus_right_pairs, 0, 0); }
void apus_case_right_pairs_turned(hashing *h) { pack(h, apus_right_pairs_turned, 0, 1); }

void apus_case_right_pairs_of_left(hashing *h) {
    for (int i = 0; i < SHAPES; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            const size_t rows = shapes[i][1], n = shapes[i][2], row = apus_stored_pairs(n) + 16;
            const size_t panel = apus_stored_pairs(rows) * 32, count = (n + 31) / 32 * panel;
            uint32_t *left = words(rows * row), *y = words(count);
            apus_left_pairs(rows, n, numbers(h, rows * n, kind), n, left, row);
            apus_right_pairs_of_left(rows, n, left, row, y, panel);
            add_pairs(h, y, count);
        }
}

// Packed factors of a product, whose inner dimension is that of lanes or one chain.
typedef struct {
    uint32_t *left, *right;
    size_t left_row, panel;
} factors;

static factors factors_of(hashing *h, size_t m, size_t n, size_t inner, int kind, const apus_lanes *lanes) {
    size_t pairs = lanes ? 0 : apus_stored_pairs(inner);
    for (size_t lane = 0; lanes && lane < lanes->count; lane++)
        pairs += apus_stored_pairs((size_t)(lanes->first[lane + 1] - lanes->first[lane]));
    factors f = {words(apus_stored_rows(m) * pairs), words((n + 31) / 32 * pairs * 32), pairs, pairs * 32};
    if (!lanes) {
        apus_left_pairs(m, inner, numbers(h, m * inner, kind), inner, f.left, f.left_row);
        apus_right_pairs_turned(n, inner, numbers(h, n * inner, kind), inner, f.right, f.panel);
        return f;
    }
    const float *a = numbers(h, apus_rows_of(lanes) * m, kind), *b = numbers(h, apus_rows_of(lanes) * n, kind);
    for (size_t lane = 0, first = 0; lane < lanes->count; lane++) {
        const size_t begin = (size_t)lanes->first[lane], rows = (size_t)lanes->first[lane + 1] - begin;
        if (rows > 0) {
            apus_left_pairs_turned(rows, m, a + begin * m, m, f.left + first, f.left_row);
            apus_right_pairs(rows, n, b + begin * n, n, f.right + first * 32, f.panel);
        }
        first += apus_stored_pairs(rows);
    }
    return f;
}

#define FOR_PRODUCTS(i, order, kind, add) \
    for (int order = APUS_PAIR_ORDER; order <= APUS_TILE_ORDER; order++) \
        for (int i = 0; i < SHAPES; i++) \
            for (int kind = 0; kind < KINDS; kind++) \
                for (int add = 0; add < 2; add++)

void apus_case_multiply_pairs(hashing *h) {
    FOR_PRODUCTS(i, order, kind, add) {
        const size_t m = shapes[i][0], n = shapes[i][1], inner = shapes[i][2] < 100 ? shapes[i][2] : 100;
        const factors f = factors_of(h, m, n, inner, kind, 0);
        const apus_pair_block block = {m, n, order == APUS_PAIR_ORDER ? (inner + 1) / 2 : apus_stored_pairs(inner),
            f.left_row, f.panel, n + 1, order, add};
        float *c = numbers(h, m * (n + 1), kind), *scratch = apus_memory(16 * 2 * 192 * sizeof(float));
        apus_multiply_pairs(&block, f.left, f.right, c, scratch);
        apus_add_floats(h, c, m * (n + 1));
    }
}

// The hard cases: 2^-126 less a unit and a half, which becomes zero, and less a unit, which stays; subnormal factors;
// infinities. Each as the odd and as the even element of a pair.
static void edges(hashing *h, int order, float *scratch) {
    static const float cases[][3] = {{-0x1.8p-75f, 0x1p-76f, 0x1p-126f}, {-0x1p-75f, 0x1p-76f, 0x1p-126f},
        {0x1.8p-75f, 0x1p-76f, -0x1p-126f}, {0x1p-75f, 0x1p-76f, -0x1p-126f}, {-0x1.82p-75f, 0x1p-76f, 0x1p-126f},
        {-0x1.7ep-75f, 0x1p-76f, 0x1p-126f}, {-0x1.8p-75f, 0x1p-76f, 0x1.000002p-126f}, {0x1p-63f, 0x1p-63f, 0},
        {-0x1p-63f, 0x1p-64f, 0}, {0x1.fep-64f, 0x1.fep-64f, 0}, {0x1p-70f, -0x1p-70f, 0}, {0x1p-126f, -1, 0x1.8p-126f},
        {0x1.fffffcp-127f, 0x1p100f, 0}, {-0x1p-149f, 1, 0}, {0, 1, -0x1p-130f}, {-0.0f, 1, -0.0f},
        {__builtin_inff(), 1, 0}, {1, 1, -__builtin_inff()}, {__builtin_inff(), 0, 1}, {0x1.fep127f, 0x1.fep127f, 0},
        {0x1p-64f, 0x1p-63f, -0x1p-149f}, {0x1.01p-63f, 0x1.01p-64f, 0x1p-127f}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int odd = 0; odd < 2; odd++) {
            float *a = apus_memory(2 * sizeof *a), *b = apus_memory(2 * sizeof *b), *c = apus_output(1);
            a[odd] = cases[i][0];
            b[odd] = cases[i][1];
            c[0] = cases[i][2];
            uint32_t *left = words(32 * 16), *right = words(16 * 32);
            apus_left_pairs(1, 2, a, 2, left, 16);
            apus_right_pairs_turned(1, 2, b, 2, right, 16 * 32);
            const apus_pair_product product = {1, 1, 2, 16, 16 * 32, 1, order, APUS_START_FROM, 0};
            apus_multiply_in_pairs(&product, left, right, c, scratch);
            apus_add_floats(h, c, 1);
        }
}

void apus_case_multiply_in_pairs(hashing *h) {
    float *scratch = apus_memory(APUS_PRODUCT_SCRATCH * sizeof(float));
    FOR_PRODUCTS(i, order, kind, add) {
        const size_t m = shapes[i][0], n = shapes[i][1], inner = shapes[i][2];
        const factors f = factors_of(h, m, n, inner, kind, 0);
        const apus_pair_product product = {m, n, inner, f.left_row, f.panel, n + 1, order, add, 0};
        float *c = numbers(h, m * (n + 1), kind);
        apus_multiply_in_pairs(&product, f.left, f.right, c, scratch);
        apus_add_floats(h, c, m * (n + 1));
    }
    FOR_PRODUCTS(i, order, kind, add) {
        if (i >= LANE_CASES) break;
        const apus_lanes *lanes = apus_lanes_of(apus_lane_cases[i]);
        const size_t m = shapes[i][0] * 11, n = i == 1 ? 400 : shapes[i][1];
        const factors f = factors_of(h, m, n, apus_rows_of(lanes), kind, lanes);
        const apus_pair_product product = {m, n, apus_rows_of(lanes), f.left_row, f.panel, n, order,
            add ? APUS_ADD_FINISHED : APUS_OVERWRITE, lanes};
        float *c = numbers(h, m * n, kind);
        apus_multiply_in_pairs(&product, f.left, f.right, c, scratch);
        apus_add_floats(h, c, m * n);
    }
    edges(h, APUS_PAIR_ORDER, scratch);
    edges(h, APUS_TILE_ORDER, scratch);
}
