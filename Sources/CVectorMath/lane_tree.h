// The sum over lanes of a product's parts, in the order of the lanes' binary tree.
#ifndef APUS_LANE_TREE_H
#define APUS_LANE_TREE_H
#include "vector_math.h"

/// Writes the product of one lane for rows `top` ..< `top` + m and columns `left` ..< `left` + n of the result into
/// `into`. Returns whether it added it to the old values instead, as `add` asks for.
typedef int (*apus_lane_product)(const void *product, size_t lane, size_t top, size_t left, size_t m, size_t n,
    float *into, size_t into_row, int add);

/// One part of a result, which stays in the L2 cache while the lanes' chains are computed and added to it. Of the sums
/// that wait to be added, the first is in c, the others in `waiting`, whose rows lie `waiting_row` elements apart,
/// `waiting_size` elements for each. With `adds`, the tree's sum is added to the old values of c.
static inline __attribute__((always_inline)) void apus_sum_lanes(const apus_lanes *lanes, int adds,
    const void *product, apus_lane_product of_lane, void (*add_row)(size_t n, const float *x, float *y), size_t top,
    size_t left, size_t m, size_t n, float *c, size_t c_row, float *waiting, size_t waiting_row, size_t waiting_size) {
    size_t depth = adds != 0;
    for (size_t lane = 0; lane < lanes->count; lane++) {
        size_t joins = lanes->joins[lane] + (lane + 1 == lanes->count && adds);
        const size_t below = joins > 0 ? depth - 1 : depth;
        const size_t own_row = below ? waiting_row : c_row, next_row = depth ? waiting_row : c_row;
        float *joined = below ? waiting + (below - 1) * waiting_size : c;
        float *next = depth ? waiting + (depth - 1) * waiting_size : c;
        if (joins > 0 && of_lane(product, lane, top, left, m, n, joined, own_row, 1)) joins--;
        else {
            of_lane(product, lane, top, left, m, n, next, next_row, 0);
            depth++;
        }
        for (; joins > 0; joins--, depth--) {
            const float *from = waiting + (depth - 2) * waiting_size;
            float *into = depth > 2 ? waiting + (depth - 3) * waiting_size : c;
            for (size_t r = 0; r < m; r++) add_row(n, from + r * waiting_row, into + r * (depth > 2 ? waiting_row
                : c_row));
        }
    }
}

#endif
