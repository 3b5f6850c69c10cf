// Attention of one sentence, all heads, forward and backward: the part of the kernels' one source that multiplies
// matrices.
//
// Small products of any shape, read in place: no element's bits depend on how a product is cut into blocks, because
// each element is one chain of fused multiply-adds in the order of the inner dimension. Scores exist for ROWS queries
// at a time.

#ifdef WIDE_REGISTERS
enum { BLOCK_ROWS = 8, BLOCK_VECTORS = 2 };  // 16 accumulators of 32 registers
#else
enum { BLOCK_ROWS = 6, BLOCK_VECTORS = 1 };  // 12 accumulators of 16 registers, two to a vector
#endif
enum { ROWS = APUS_ATTENTION_ROWS };

// c[i][j] = (add ? c[i][j] : 0) + sum over p < inner of a[i a_row + p a_step] b[p][j] for `rows` rows and `vectors`
// vectors of columns; if `tail` is not 0, only for that many columns. Rows, vectors and whether there is a tail are
// constants.
INLINE void product_block(const int rows, const int vectors, const size_t tail, size_t inner, const float *a,
    size_t a_row,
                          size_t a_step, const float *b, size_t b_row, float *c, size_t c_row, int add) {
    vf sum[BLOCK_ROWS][BLOCK_VECTORS];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++)
            sum[i][v] = !add ? (vf)0.0f : tail ? load_some(c + i * c_row, tail) : load(c + i * c_row + v * W);
    }
    const float *half = a + 4 * a_row;
    for (size_t p = 0; p < inner; p++, a += a_step, half += a_step, b += b_row) {
        vf x[BLOCK_VECTORS];
        UNROLL for (int v = 0; v < vectors; v++) x[v] = tail ? load_some(b, tail) : load(b + v * W);
        UNROLL for (int i = 0; i < rows; i++) {
            vf factor = (vf)(i < 4 ? a[i * a_row] : half[(i - 4) * a_row]);
            UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = fma16(factor, x[v], sum[i][v]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) {
            if (tail) store_some(c + i * c_row, sum[i][v], tail);
            else store(c + i * c_row + v * W, sum[i][v]);
        }
    }
}

#define PRODUCT_ROWS(count) \
    case count: product_block(count, vectors, tail, inner, a, a_row, a_step, b, b_row, c, c_row, add); break;
#ifdef WIDE_REGISTERS
#define PRODUCT_CASES \
    PRODUCT_ROWS(1) PRODUCT_ROWS(2) PRODUCT_ROWS(3) PRODUCT_ROWS(4) \
    PRODUCT_ROWS(5) PRODUCT_ROWS(6) PRODUCT_ROWS(7) PRODUCT_ROWS(8)
#else
#define PRODUCT_CASES PRODUCT_ROWS(1) PRODUCT_ROWS(2) PRODUCT_ROWS(3) PRODUCT_ROWS(4) PRODUCT_ROWS(5) PRODUCT_ROWS(6)
#endif

INLINE void product_columns(const int vectors, const size_t tail, size_t m, size_t inner, const float *a, size_t a_row,
    size_t a_step,
                            const float *b, size_t b_row, float *c, size_t c_row, int add) {
    while (m > 0) {
        size_t rows = m < BLOCK_ROWS ? m : BLOCK_ROWS;
        switch (rows) { PRODUCT_CASES }
        a += rows * a_row;
        c += rows * c_row;
        m -= rows;
    }
}

// c (m, n) = (add ? c : 0) + a b in single precision, element (i, p) of a being a[i a_row + p a_step].
static __attribute__((noinline)) void single_product(size_t m, size_t n, size_t inner, const float *a, size_t a_row,
    size_t a_step,
                                              const float *b, size_t b_row, float *c, size_t c_row, int add) {
    size_t j = 0;
    for (; j + BLOCK_VECTORS * W <= n; j += BLOCK_VECTORS * W)
        product_columns(BLOCK_VECTORS, 0, m, inner, a, a_row, a_step, b + j, b_row, c + j, c_row, add);
    for (; j + W <= n; j += W) product_columns(1, 0, m, inner, a, a_row, a_step, b + j, b_row, c + j, c_row, add);
    if (j < n) product_columns(1, n - j, m, inner, a, a_row, a_step, b + j, b_row, c + j, c_row, add);
}

// The same in an order; both factors are rounded already if the order is for that.
static void product(int order, size_t m, size_t n, size_t inner, const float *a, size_t a_row, size_t a_step,
    const float *b, size_t b_row, float *c, size_t c_row, int add) {
    if (order == APUS_SINGLE_PRECISION) {
        single_product(m, n, inner, a, a_row, a_step, b, b_row, c, c_row, add);
        return;
    }
    const unsigned mode = begin_chains();
    (order == APUS_PAIR_ORDER ? product_in_pair_order : product_in_tile_order)(m, n, inner, a, a_row, a_step, b, b_row,
        c, c_row, add);
    end_chains(mode);
}

typedef struct {
    const float *x;
    size_t row;
} factor_rows;

// Rows of a factor: where they are, or, for an order that needs it, rounded in `copy`.
INLINE factor_rows rounded_factor(int order, size_t rows, size_t n, const float *x, size_t x_row, float *copy) {
    if (order == APUS_SINGLE_PRECISION) return (factor_rows){x, x_row};
    round_rows(rows, n, x, x_row, copy, n);
    return (factor_rows){copy, n};
}

// Rows of queries, keys or values from element `first` on: where they are, or, in bf16, as single-precision numbers in
// `copy`.
INLINE factor_rows factor(int order, size_t rows, size_t n, const void *x, size_t first, size_t x_row, float *copy) {
    if (order == APUS_SINGLE_PRECISION) return (factor_rows){(const float *)x + first, x_row};
    widen_rows(rows, n, (const uint16_t *)x + first, x_row, copy, n);
    return (factor_rows){copy, n};
}

INLINE void round_in_place(int order, size_t rows, size_t n, float *x, size_t x_row) {
    if (order != APUS_SINGLE_PRECISION) round_rows(rows, n, x, x_row, x, x_row);
}

// Rows of transposed keys and values are one vector longer than needed: rows a power of two apart would share few cache
// lines.
INLINE size_t whole_vectors(size_t n) { return (n + W - 1) / W * W; }

// Whether the sixteen elements of word `word` of a row are kept; all of them if there are no bits.
INLINE vf drop(vf x, const uint16_t *bits, size_t word, float scale) { return bits ? choose(lanes_of(bits[word]),
    x * scale, 0.0f) : x; }

void VARIANT(attention)(const apus_attention_shape *s, const void *queries, const void *keys, const void *values,
                        const uint16_t *bits, float *context, float *scratch) {
    const size_t n = s->keys, ld = whole_vectors(n), turned_row = ld + W, width = s->width;
    float *turned = scratch, *p = turned + width * turned_row, *copies = p + ROWS * ld;
    for (size_t head = 0; head < s->heads; head++) {
        const size_t column = head * width;
        const factor_rows k = factor(s->order, n, width, keys, column, s->key_row, copies + ROWS * width);
        transpose(n, width, k.x, k.row, turned, turned_row);
        const factor_rows v = factor(s->order, n, width, values, column, s->key_row, copies + ROWS * width);
        for (size_t row = 0; row < s->queries; row += ROWS) {
            const size_t m = s->queries - row < ROWS ? s->queries - row : ROWS;
            const factor_rows q = factor(s->order, m, width, queries, row * s->query_row + column, s->query_row,
                copies);
            product(s->order, m, ld, width, q.x, q.row, 1, turned, turned_row, p, ld, 0);
            for (size_t r = 0; r < m; r++) {
                float *x = p + r * ld;
                const uint16_t *word = bits ? bits + (head * s->queries + row + r) * (ld / W) : 0;
                float inverse = softmax_row(n, ld, s->scale, x);
                for (size_t i = 0; i < ld; i += W) store(x + i, drop(load(x + i) * inverse, word, i / W,
                    s->dropout_scale));
            }
            round_in_place(s->order, m, ld, p, ld);
            product(s->order, m, width, n, p, ld, 1, v.x, v.row, context + row * s->context_row + column,
                s->context_row, 0);
        }
    }
}

// In: scores in p, the gradient of the dropped probabilities in dp. Out: the dropped probabilities in p, the gradient
// of the scores in dp. Columns n..<ld become 0.
INLINE void attention_row_backward(size_t n, size_t ld, float scale, const uint16_t *bits, float dropout_scale,
    float *p, float *dp) {
    float inverse = softmax_row(n, ld, scale, p);
    vf sum = 0;
    for (size_t i = 0; i < ld; i += W) {
        vf whole = load(p + i) * inverse, d = drop(load(dp + i), bits, i / W, dropout_scale);
        store(p + i, whole);
        store(dp + i, d);
        sum = fma16(whole, d, sum);
    }
    float dot = total(sum);
    for (size_t i = 0; i < ld; i += W) {
        vf whole = load(p + i);
        store(dp + i, whole * (scale * (load(dp + i) - dot)));
        store(p + i, drop(whole, bits, i / W, dropout_scale));
    }
}

void VARIANT(attention_backward)(const apus_attention_shape *s, const void *queries, const void *keys,
    const void *values,
                                 const uint16_t *bits, const float *dcontext, float *dqueries, float *dkeys,
                                     float *dvalues,
                                 float *scratch) {
    const size_t n = s->keys, ld = whole_vectors(n), turned_row = ld + W, width = s->width;
    float *turned_keys = scratch, *turned_values = turned_keys + width * turned_row;
    float *p = turned_values + width * turned_row, *dp = p + ROWS * ld, *copies = dp + ROWS * ld;
    for (size_t head = 0; head < s->heads; head++) {
        const size_t column = head * width;
        const factor_rows v = factor(s->order, n, width, values, column, s->key_row, copies + 2 * ROWS * width);
        transpose(n, width, v.x, v.row, turned_values, turned_row);
        const factor_rows k = factor(s->order, n, width, keys, column, s->key_row, copies + 2 * ROWS * width);
        transpose(n, width, k.x, k.row, turned_keys, turned_row);
        for (size_t row = 0; row < s->queries; row += ROWS) {
            const size_t m = s->queries - row < ROWS ? s->queries - row : ROWS;
            const factor_rows q = factor(s->order, m, width, queries, row * s->query_row + column, s->query_row,
                copies);
            const factor_rows dc = rounded_factor(s->order, m, width, dcontext + row * s->context_row + column,
                s->context_row, copies + ROWS * width);
            product(s->order, m, ld, width, q.x, q.row, 1, turned_keys, turned_row, p, ld, 0);
            product(s->order, m, ld, width, dc.x, dc.row, 1, turned_values, turned_row, dp, ld, 0);
            for (size_t r = 0; r < m; r++) {
                const uint16_t *word = bits ? bits + (head * s->queries + row + r) * (ld / W) : 0;
                attention_row_backward(n, ld, s->scale, word, s->dropout_scale, p + r * ld, dp + r * ld);
            }
            round_in_place(s->order, m, ld, p, ld);
            round_in_place(s->order, m, ld, dp, ld);
            product(s->order, n, width, m, p, 1, ld, dc.x, dc.row, dvalues + column, s->key_gradient_row, row > 0);
            product(s->order, n, width, m, dp, 1, ld, q.x, q.row, dkeys + column, s->key_gradient_row, row > 0);
            product(s->order, m, width, n, dp, ld, 1, k.x, k.row, dqueries + row * s->query_gradient_row + column,
                    s->query_gradient_row, 0);
        }
    }
}
