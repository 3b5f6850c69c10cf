// Small products of numbers that are in bf16 already, though stored in single precision, in the orders of the
// processors' bf16 units: the part of attention's products that vector_pairs.h is too large for.

enum { ROUNDED_ROWS = 6 };

// As product_block, for one vector of columns. The order is a constant.
INLINE void rounded_block(const int rows, const int order, const size_t tail, size_t inner, const float *a,
    size_t a_row, size_t a_step, const float *b, size_t b_row, float *c, size_t c_row, int add) {
    vf sum[ROUNDED_ROWS];
    UNROLL for (int i = 0; i < rows; i++)
        sum[i] = !add ? (vf)0.0f : started_from(tail ? load_some(c + i * c_row, tail) : load(c + i * c_row));
    const size_t length = order == APUS_PAIR_ORDER ? 2 : 32;
    for (size_t first = 0; first < inner; first += length) {
        const size_t count = at_most(inner - first, length);
        vf part[2][ROUNDED_ROWS];
        if (order == APUS_PAIR_ORDER) {
            UNROLL for (int half = 1; half >= 0; half--) {
                const int exists = (size_t)half < count;
                const float *y = b + (first + half) * b_row;
                const vf x = !exists ? (vf)0.0f : tail ? load_some(y, tail) : load(y);
                UNROLL for (int i = 0; i < rows; i++)
                    sum[i] = chain((vf)(exists ? a[i * a_row + (first + half) * a_step] : 0.0f), x, sum[i]);
            }
        } else {
            UNROLL for (int half = 0; half < 2; half++) {
                UNROLL for (int i = 0; i < rows; i++) part[half][i] = (vf)0.0f;
                for (size_t p = first + half; p < first + count; p += 2) {
                    const vf x = tail ? load_some(b + p * b_row, tail) : load(b + p * b_row);
                    UNROLL for (int i = 0; i < rows; i++)
                        part[half][i] = chain((vf)a[i * a_row + p * a_step], x, part[half][i]);
                }
                if (count < 31 + (size_t)half)
                    UNROLL for (int i = 0; i < rows; i++) part[half][i] = chain((vf)0.0f, (vf)0.0f, part[half][i]);
            }
            UNROLL for (int i = 0; i < rows; i++) sum[i] = join(sum[i], join(part[0][i], part[1][i]));
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        if (tail) store_some(c + i * c_row, sum[i], tail);
        else store(c + i * c_row, sum[i]);
    }
}

#define ROUNDED_CASE(count) \
    case count: rounded_block(count, order, tail, inner, a, a_row, a_step, b, b_row, c, c_row, add); break;
INLINE void rounded_columns(const int order, const size_t tail, size_t m, size_t inner, const float *a, size_t a_row,
    size_t a_step, const float *b, size_t b_row, float *c, size_t c_row, int add) {
    while (m > 0) {
        const size_t rows = at_most(m, ROUNDED_ROWS);
        switch (rows) {
            ROUNDED_CASE(1) ROUNDED_CASE(2) ROUNDED_CASE(3) ROUNDED_CASE(4) ROUNDED_CASE(5) ROUNDED_CASE(6)
        }
        a += rows * a_row;
        c += rows * c_row;
        m -= rows;
    }
}

INLINE void rounded_product(const int order, size_t m, size_t n, size_t inner, const float *a, size_t a_row,
    size_t a_step, const float *b, size_t b_row, float *c, size_t c_row, int add) {
    size_t j = 0;
    for (; j + W <= n; j += W) rounded_columns(order, 0, m, inner, a, a_row, a_step, b + j, b_row, c + j, c_row, add);
    if (j < n) rounded_columns(order, n - j, m, inner, a, a_row, a_step, b + j, b_row, c + j, c_row, add);
}

static __attribute__((noinline)) void product_in_pair_order(size_t m, size_t n, size_t inner, const float *a,
    size_t a_row, size_t a_step, const float *b, size_t b_row, float *c, size_t c_row, int add) {
    rounded_product(APUS_PAIR_ORDER, m, n, inner, a, a_row, a_step, b, b_row, c, c_row, add);
}

static __attribute__((noinline)) void product_in_tile_order(size_t m, size_t n, size_t inner, const float *a,
    size_t a_row, size_t a_step, const float *b, size_t b_row, float *c, size_t c_row, int add) {
    rounded_product(APUS_TILE_ORDER, m, n, inner, a, a_row, a_step, b, b_row, c, c_row, add);
}

typedef uint16_t half_words __attribute__((ext_vector_type(16)));
typedef uint16_t unaligned_half_words __attribute__((ext_vector_type(16), aligned(2), may_alias));

INLINE vf widened(half_words x) { return floats_of(__builtin_convertvector(x, word_vector) << 16); }

// Copies rows of n numbers in bf16 as single-precision ones.
static void widen_rows(size_t rows, size_t n, const uint16_t *x, size_t x_row, float *y, size_t y_row) {
    for (size_t r = 0; r < rows; r++, x += x_row, y += y_row) {
        size_t i = 0;
        for (; i + W <= n; i += W) store(y + i, widened(*(const unaligned_half_words *)(x + i)));
        if (i < n) {
            half_words some = 0;
            memcpy(&some, x + i, (n - i) * sizeof *x);
            store_some(y + i, widened(some), n - i);
        }
    }
}

// Rounds rows of n numbers to bf16, from x to y, which may be the same.
static void round_rows(size_t rows, size_t n, const float *x, size_t x_row, float *y, size_t y_row) {
    for (size_t r = 0; r < rows; r++, x += x_row, y += y_row)
        FOR_VECTORS(n, store(y + i, floats_of(round_to_bf16(load(x + i)))),
            store_some(y + i, floats_of(round_to_bf16(load_some(x + i, rest))), rest));
}
