// Elementwise and row-wise arithmetic that a compiler can only do well when it knows the instruction set.
//
// One source, vector_kernels.h, is compiled once for each instruction set; the first call picks the widest one that the
// processor has. All variants perform the same operations on the same element in the same order, with fused
// multiply-adds where written and nowhere else, so they give the same bits.
//
// Letters: rows, n = columns of a row-major matrix; ld = distance between rows where it differs from n.
#ifndef APUS_VECTOR_MATH_H
#define APUS_VECTOR_MATH_H

#include <stddef.h>
#include <stdint.h>

/// What a position sum is over: each kind weighs the same position differently.
enum { APUS_PARAMETERS = 0, APUS_FIRST_MOMENTS = 1, APUS_SECOND_MOMENTS = 2 };

/// Whether the compiler optimized this module, as it has to in debug builds too.
int apus_is_optimized(void);

enum { APUS_GELU = 0, APUS_GELU_TANH = 1, APUS_RELU = 2 };

/// Constants of one Adam update; computed once, identical on every worker.
typedef struct {
    float gradient_scale;   // clipping factor
    float beta1, beta2;
    float one_minus_beta1, one_minus_beta2;
    float step_size;        // learning rate / (1 - beta1^t)
    float inverse_root_correction;  // 1 / sqrt(1 - beta2^t)
    float epsilon;
    float decay_factor;     // AdamW: 1 - learning rate * weight decay, else 1
    float l2;               // Adam: weight decay added to the gradient, else 0
} apus_adam_constants;

/// The order in which an element's products are added: element after element, in single precision; or factors in bf16,
/// pair after pair, the odd element first (as VDPBF16PS does); or these for sixteen pairs, a tile, the even and the odd
/// elements apart, then both sums and the sum so far (as AMX does).
enum { APUS_SINGLE_PRECISION = 0, APUS_PAIR_ORDER = 1, APUS_TILE_ORDER = 2 };

/// One sentence's attention: `queries` query rows, `keys` key and value rows, `heads` heads of `width` columns each. A
/// row of a matrix lies `…_row` elements after the one before; keys and values have one distance, and so have their
/// gradients. Queries, keys and values are single-precision numbers if that is the order's, else numbers in bf16, two
/// bytes each; all else is in single precision.
typedef struct {
    size_t queries, keys, heads, width;
    size_t query_row, key_row, context_row;
    size_t query_gradient_row, key_gradient_row;
    float scale;          // on the scores
    float dropout_scale;  // on the probabilities that are kept
    int order;            // of the products
} apus_attention_shape;

/// Most queries of a sentence whose scores exist at one time.
enum { APUS_ATTENTION_ROWS = 32 };

/// What happens to the old values of a product's result: overwritten; start of the chains; or added to the finished
/// chains, which is possible up to APUS_MOST_FINISHED elements of the inner dimension.
enum { APUS_OVERWRITE = 0, APUS_START_FROM = 1, APUS_ADD_FINISHED = 2, APUS_MOST_FINISHED = 512 };

/// The lanes of rows that are packed one after another. A sum over rows is formed for each lane by itself; then the
/// lanes' sums are added in the order of a binary tree.
typedef struct {
    size_t count;          // lanes, at least 1
    const int32_t *first;  // (count + 1) first row of each lane, then the number of rows
    const uint8_t *joins;  // (count) after each lane: how often the last sum is added to the one before it
} apus_lanes;

/// Most sums of a tree of lanes that exist at one time: enough for APUS_MOST_LANES lanes.
enum { APUS_MOST_SUMS = 11, APUS_MOST_LANES = 1024 };

/// A matrix product: c (m, n) = a (m, k) b (k, n), with c's old values as `add` says. Element (i, p) of a is a[i a_row
/// + p a_step], element (p, j) of b is b[p b_step + j b_column] with b_step or b_column being 1, and row i of c begins
/// at c[i c_row]. With `lanes`, of which k are the rows, the old values cannot be the start of the chains.
typedef struct {
    size_t m, n, k;
    size_t a_row, a_step, b_step, b_column, c_row;
    int add;
    const apus_lanes *lanes;  // or null: one chain
} apus_product;

/// Factors in bf16: a word holds two elements that follow each other in the inner dimension, the one with the even
/// number in its lower half. A left factor's rows lie one after another; a right factor has panels of 32 columns, pair
/// after pair. Each lane of the inner dimension begins at a multiple of 16 pairs, and what is missing is +0.
static inline size_t apus_stored_pairs(size_t inner) { return (inner + 31) / 32 * 16; }
/// Rows of a left factor that can be read, whatever they contain.
static inline size_t apus_stored_rows(size_t rows) { return (rows + 31) / 32 * 32; }

/// One block of a product in bf16: c (m, n) = left (m, pairs) right (pairs, n), the chains starting from +0 or, with
/// `add`, from c. In the tiles' order `pairs` is a multiple of 16.
typedef struct {
    size_t m, n, pairs;
    size_t left_row, panel, c_row;  // words between rows of left, words between panels of right
    int order, add;
} apus_pair_block;

/// A product in bf16 with `inner` elements of the inner dimension. With `lanes`, of which they are the rows, the old
/// values of c are overwritten or added to the finished sum.
typedef struct {
    size_t m, n, inner;
    size_t left_row, panel, c_row;
    int order, add;
    const apus_lanes *lanes;  // or null: one chain
} apus_pair_product;

/// Computes it with the unit of the processor that suits it. `scratch` as for apus_multiply.
void apus_multiply_in_pairs(const apus_pair_product *product, const uint32_t *left, const uint32_t *right, float *c,
    float *scratch);
/// Whether a unit of the processor computes products in this order; else fused multiply-adds in single precision do.
int apus_pair_unit_is_native(int order);
/// For tests: the unit that is fastest here, any unit that is there, or fused multiply-adds alone.
enum { APUS_FASTEST_UNIT = 0, APUS_ANY_UNIT = 1, APUS_NO_UNIT = 2 };
void apus_use_pair_units(int which);

/// Number of rows whose column sums are formed separately, counted from the first row, before they are added to the
/// sums so far: a constant of the arithmetic.
enum { APUS_SUM_ROWS = 32 };

/// Elements of scratch memory that a product of any shape needs.
enum { APUS_PRODUCT_SCRATCH = 1 << 20 };

#define APUS_KERNELS(X) \
    X(void, exp, (size_t n, const float *x, float *y), (n, x, y)) \
    X(void, tanh, (size_t n, const float *x, float *y), (n, x, y)) \
    X(void, bias_tanh, (size_t rows, size_t n, const float *bias, float *x), (rows, n, bias, x)) \
    X(void, tanh_backward, (size_t n, const float *y, float *dy), (n, y, dy)) \
    X(void, bias_activation, (int kind, size_t rows, size_t n, const float *bias, float *x, float *y), (kind, rows, \
        n, bias, x, y)) \
    X(void, activation_backward, (const apus_lanes *lanes, size_t n, size_t ld, const float *derivative, float *dy, \
        float *sums), (lanes, n, ld, derivative, dy, sums)) \
    X(void, column_sums, (const apus_lanes *lanes, size_t n, size_t ld, const float *x, float *sums), (lanes, n, ld, \
        x, sums)) \
    X(void, add_bias, (size_t rows, size_t n, size_t ld, const float *bias, float *x), (rows, n, ld, bias, x)) \
    X(void, dropout_bits, (size_t first, size_t words, uint64_t key, const uint32_t counter[3], uint32_t threshold, \
        uint16_t *bits), (first, words, key, counter, threshold, bits)) \
    X(void, dropout, (size_t rows, size_t n, size_t ld, const uint16_t *bits, float scale, const float *x, float *y), \
        (rows, n, ld, bits, scale, x, y)) \
    X(void, dropout_and_sums, (const apus_lanes *lanes, size_t n, size_t ld, const uint16_t *bits, float scale, \
        const float *x, float *y, float *sums), (lanes, n, ld, bits, scale, x, y, sums)) \
    X(void, layer_norm, (size_t rows, size_t n, const float *bias, const uint16_t *bits, float scale, \
        const float *residual, const int32_t *residual_rows, const float *gain, const float *shift, float epsilon, \
        float *x, float *y, float *inverse_deviation), (rows, n, bias, bits, scale, residual, residual_rows, gain, \
        shift, epsilon, x, y, inverse_deviation)) \
    X(void, gain_and_shift, (const apus_lanes *lanes, size_t n, size_t ld, const float *normalized, const float *dy, \
        float *dgain, float *dshift), (lanes, n, ld, normalized, dy, dgain, dshift)) \
    X(void, layer_norm_backward, (size_t rows, size_t n, const float *normalized, const float *inverse_deviation, \
        const float *gain, float *dy), (rows, n, normalized, inverse_deviation, gain, dy)) \
    X(void, softmax, (size_t rows, size_t n, size_t ld, float scale, float *x), (rows, n, ld, scale, x)) \
    X(void, softmax_backward, (size_t rows, size_t n, size_t ld, float scale, const float *p, float *dp), (rows, n, \
        ld, scale, p, dp)) \
    X(void, multiply, (const apus_product *product, const float *a, const float *b, float *c, float *scratch), \
        (product, a, b, c, scratch)) \
    X(void, left_pairs, (size_t rows, size_t n, const float *x, size_t x_row, uint32_t *y, size_t y_row), (rows, n, x, \
        x_row, y, y_row)) \
    X(void, left_pairs_turned, (size_t rows, size_t n, const float *x, size_t x_row, uint32_t *y, size_t y_row), \
        (rows, n, x, x_row, y, y_row)) \
    X(void, right_pairs, (size_t rows, size_t n, const float *x, size_t x_row, uint32_t *y, size_t panel), (rows, n, \
        x, x_row, y, panel)) \
    X(void, right_pairs_turned, (size_t columns, size_t inner, const float *x, size_t x_row, uint32_t *y, \
        size_t panel), (columns, inner, x, x_row, y, panel)) \
    X(void, right_pairs_of_left, (size_t rows, size_t n, const uint32_t *x, size_t x_row, uint32_t *y, size_t panel), \
        (rows, n, x, x_row, y, panel)) \
    X(void, multiply_pairs, (const apus_pair_block *block, const uint32_t *left, const uint32_t *right, float *c, \
        float *scratch), (block, left, right, c, scratch)) \
    X(void, attention, (const apus_attention_shape *shape, const void *queries, const void *keys, \
        const void *values, const uint16_t *bits, float *context, float *scratch), (shape, queries, keys, values, \
        bits, context, scratch)) \
    X(void, attention_backward, (const apus_attention_shape *shape, const void *queries, const void *keys, \
        const void *values, const uint16_t *bits, const float *dcontext, float *dqueries, float *dkeys, \
        float *dvalues, float *scratch), (shape, queries, keys, values, bits, dcontext, dqueries, dkeys, dvalues, \
        scratch)) \
    X(double, cross_entropy, (size_t n, const float *logits, size_t label, float scale, float *dlogits), (n, logits, \
        label, scale, dlogits)) \
    X(double, binary_cross_entropy, (size_t n, const float *logits, const float *targets, float scale, \
        float *dlogits), (n, logits, targets, scale, dlogits)) \
    X(void, scale, (size_t n, float factor, float *x), (n, factor, x)) \
    X(void, add, (size_t n, const float *x, float *y), (n, x, y)) \
    X(void, sum_rows_by_group, (const apus_lanes *lanes, size_t groups, size_t n, const int32_t *starts, \
        const int32_t *order, const float *x, float *y), (lanes, groups, n, starts, order, x, y)) \
    X(void, embed, (size_t rows, size_t n, const int32_t *ids, const int32_t *positions, const uint8_t *types, \
        const float *words_table, const float *position_table, const float *type_table, float *y), (rows, n, ids, \
        positions, types, words_table, position_table, type_table, y)) \
    X(double, sum_of_squares, (size_t n, const float *x), (n, x)) \
    X(void, block_squares, (size_t n, size_t block, const float *x, double *sums), (n, block, x, sums)) \
    X(int, all_finite, (size_t n, const float *x), (n, x)) \
    X(void, adam, (size_t n, const apus_adam_constants *c, const float *g, float *p, float *m, float *v), (n, c, g, \
        p, m, v)) \
    X(uint64_t, position_sum, (size_t n, uint32_t first, int kind, const float *x), (n, first, kind, x)) \
    X(void, adam_summed, (size_t n, const apus_adam_constants *c, const float *g, float *p, float *m, float *v, \
        uint32_t p_first, uint32_t s_first, uint64_t *sums), (n, c, g, p, m, v, p_first, s_first, sums)) \
    X(void, adam_rows, (size_t count, const int32_t *rows, size_t n, const apus_adam_constants *c, size_t id_count, \
        const int32_t *ids, const float *g, float *p, float *m, float *v, uint32_t p_first, uint32_t s_first, \
        uint64_t *sums), (count, rows, n, c, id_count, ids, g, p, m, v, p_first, s_first, sums))

#define APUS_DECLARE(result, name, parameters, arguments) result apus_##name parameters;
APUS_KERNELS(APUS_DECLARE)
#undef APUS_DECLARE

/// The kernels of one instruction set.
#define APUS_POINTER(result, name, parameters, arguments) result(*name) parameters;
typedef struct {
    const char *level;
    APUS_KERNELS(APUS_POINTER)
} apus_kernel_table;
#undef APUS_POINTER

/// The kernels in use, and replacements for them: a benchmark puts its own in front of them to measure each call.
const apus_kernel_table *apus_kernels(void);
void apus_use_kernels(const apus_kernel_table *table);

/// Natural logarithm of a positive number. Error below 1e-15 relative to 1.
double apus_log(double x);
/// e to the power of x. Relative error below 1e-15; 0 and infinity beyond the range of a double.
double apus_exponential(double x);
/// x to the power of n, by repeated squaring.
double apus_power(double x, uint64_t n);
/// The cosine of pi times x. Error below 1e-15.
double apus_cosine_of_pi(double x);

/// Makes the calling thread round to nearest and keep subnormal numbers. Returns whether it did otherwise: a library
/// may have changed the mode.
int apus_set_float_environment(void);
/// For tests: makes the calling thread flush subnormal numbers to zero, as such a library does.
void apus_flush_to_zero(void);

/// Elements of scratch memory that attention over `keys` rows needs.
static inline size_t apus_attention_scratch(size_t keys, size_t width) {
    size_t row = (keys + 15) / 16 * 16;
    // Transposed keys and values; scores and their gradients; what is in bf16: keys or values, and rows.
    return 2 * width * (row + 16) + 2 * APUS_ATTENTION_ROWS * row + (keys + 2 * APUS_ATTENTION_ROWS) * width;
}
/// Name of the instruction set in use: "avx512", "avx2", "neon" or, for any processor, slowly, "portable".
const char *apus_vector_level(void);
/// Those of this processor, the fastest first; null after the last.
const char *apus_vector_level_at(size_t index);
/// Uses the named level from now on. Returns 0 if the processor lacks it.
int apus_use_vector_level(const char *name);
/// Whether a product reads its factors in place instead of copying them first: 4 % faster on AMD's Zen 4, 2 % on Zen 5,
/// 10 % slower on Intel's Emerald Rapids, where rows on many pages cost more. The bits are the same.
int apus_reads_in_place(void);
/// For tests: sets it.
void apus_read_in_place(int yes);
/// Whether the processor has the parts of AVX-512 that the kernels need; OpenBLAS's for SkylakeX need the same.
int apus_processor_has_avx512(void);

#endif
