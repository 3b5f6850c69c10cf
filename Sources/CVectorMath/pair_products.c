// Products of factors in bf16: which of the processor's units computes a block, and how a product is cut into blocks.
#include "lane_tree.h"
#include "pair_units.h"
#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

// Elements of the inner dimension of a block: a panel of them stays in the L1 cache. Columns of a block, whose panels
// stay in the L2 cache. A multiple of a tile's 16 pairs, so that no chain of the tiles' order is cut.
enum { BLOCK_PAIRS = 192, BLOCK_COLUMNS = 512, CHUNK_ROWS = 32, CHUNK_COLUMNS = 384 };
enum { CHUNK = CHUNK_ROWS * CHUNK_COLUMNS, BLOCK_SCRATCH = 2 * BLOCK_PAIRS * 16 };
_Static_assert(BLOCK_SCRATCH + (APUS_MOST_SUMS + 1) * CHUNK <= APUS_PRODUCT_SCRATCH, "sums of lanes");

typedef void (*block_function)(const apus_pair_block *, const uint32_t *, const uint32_t *, float *, float *);

// What computes products in each order; null: not looked for yet.
static _Atomic(block_function) chosen_units[APUS_TILE_ORDER + 1];
static _Atomic int use = APUS_FASTEST_UNIT;

static block_function unit(int order) {
    const block_function chosen = chosen_units[order];
    if (chosen) return chosen;
    block_function best = use == APUS_NO_UNIT ? 0 : order == APUS_TILE_ORDER ? apus_tile_unit()
        : apus_dot_product_unit(use == APUS_ANY_UNIT);
    if (best && !apus_pairs_agree(best, order)) best = 0;
    if (!best) best = apus_multiply_pairs;
    chosen_units[order] = best;
    return best;
}

int apus_pair_unit_is_native(int order) { return unit(order) != apus_multiply_pairs; }

void apus_use_pair_units(int which) {
    use = which;
    chosen_units[APUS_PAIR_ORDER] = 0;
    chosen_units[APUS_TILE_ORDER] = 0;
}

static size_t at_most(size_t n, size_t limit) { return n < limit ? n : limit; }

// The pairs that a chain of `inner` elements has: of whole tiles in their order.
static size_t pairs_of(size_t inner, int order) {
    return order == APUS_PAIR_ORDER ? (inner + 1) / 2 : (inner + 31) / 32 * 16;
}

// One chain for each element.
static void one_chain(const apus_pair_product *s, size_t m, size_t n, size_t pairs, const uint32_t *left,
    const uint32_t *right, float *c, size_t c_row, int add, float *scratch) {
    const block_function multiply = unit(s->order);
    for (size_t first = 0; first == 0 || first < pairs; first += BLOCK_PAIRS) {
        for (size_t j = 0; j < n; j += BLOCK_COLUMNS) {
            const apus_pair_block block = {m, at_most(n - j, BLOCK_COLUMNS), at_most(pairs - first, BLOCK_PAIRS),
                s->left_row, s->panel, c_row, s->order, first > 0 || add};
            multiply(&block, left + first, right + j / 32 * s->panel + first * 32, c + j, scratch);
        }
    }
}

typedef struct {
    const apus_pair_product *product;
    const uint32_t *left, *right;
    float *scratch;
} lane_work;

static int lane_product(const void *work, size_t lane, size_t top, size_t left, size_t m, size_t n, float *into,
    size_t into_row, int add) {
    const lane_work *w = work;
    const apus_pair_product *s = w->product;
    const apus_lanes *lanes = s->lanes;
    size_t first = 0;
    for (size_t before = 0; before < lane; before++)
        first += apus_stored_pairs((size_t)(lanes->first[before + 1] - lanes->first[before]));
    float *to = add ? w->scratch + BLOCK_SCRATCH + APUS_MOST_SUMS * CHUNK : into;
    const size_t to_row = add ? CHUNK_COLUMNS : into_row;
    one_chain(s, m, n, pairs_of((size_t)(lanes->first[lane + 1] - lanes->first[lane]), s->order),
        w->left + top * s->left_row + first, w->right + left / 32 * s->panel + first * 32, to, to_row, 0, w->scratch);
    for (size_t r = 0; add && r < m; r++) apus_add(n, to + r * to_row, into + r * into_row);
    return add;
}

void apus_multiply_in_pairs(const apus_pair_product *s, const uint32_t *left, const uint32_t *right, float *c,
    float *scratch) {
    if (!s->lanes) {
        one_chain(s, s->m, s->n, pairs_of(s->inner, s->order), left, right, c, s->c_row, s->add == APUS_START_FROM,
            scratch);
        return;
    }
    const lane_work work = {s, left, right, scratch};
    for (size_t j = 0; j < s->n; j += CHUNK_COLUMNS)
        for (size_t i = 0; i < s->m; i += CHUNK_ROWS)
            apus_sum_lanes(s->lanes, s->add == APUS_ADD_FINISHED, &work, lane_product, apus_add, i, j,
                at_most(s->m - i, CHUNK_ROWS), at_most(s->n - j, CHUNK_COLUMNS), c + i * s->c_row + j, s->c_row,
                scratch + BLOCK_SCRATCH, CHUNK_COLUMNS, CHUNK);
}
