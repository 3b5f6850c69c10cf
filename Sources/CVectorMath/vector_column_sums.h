// Sums of columns, and the backward passes that need them: a part of the kernels' one source.
//
// The order is the same on every processor and for every division of the work: fixed blocks of APUS_SUM_ROWS rows,
// counted from the first row. The rows of a block are added in order, starting from +0, and then the blocks in order.

// Rows that are added together, so that a block's sums are read and written once per group of rows.
enum { SUM_ROWS = 4 };
// Columns of one block whose sums exist at a time.
enum { SUM_COLUMNS = 512 };
_Static_assert(APUS_SUM_ROWS % SUM_ROWS == 0 && SUM_COLUMNS % W == 0, "whole rounds");

// `element` gives the summand in row `r` (counted from the block's first) of the vector at column i, or of `rest`
// columns there.
#define ADD_ROWS(count, n, vector, some) \
    do { \
        size_t i = 0; \
        for (; i + W <= (n); i += W) { \
            vf sum = load(block + i); \
            UNROLL for (int j = 0; j < (count); j++) { size_t r = row + j; sum += vector; } \
            store(block + i, sum); \
        } \
        if (i < (n)) { \
            const size_t rest = (n) - i; \
            vf sum = load(block + i); \
            for (int j = 0; j < (count); j++) { size_t r = row + j; sum += some; } \
            store(block + i, sum); \
        } \
    } while (0)

// sums (n) = the column sums of `vector`, which may use r, i and left; `some` is the same for the last `rest` columns.
#define COLUMN_SUMS(rows, columns, sums, vector, some) \
    do { \
        for (size_t first = 0; first == 0 || first < (rows); first += APUS_SUM_ROWS) { \
            const size_t end = (rows) - first < APUS_SUM_ROWS ? (rows) : first + APUS_SUM_ROWS; \
            for (size_t left = 0; left < (columns); left += SUM_COLUMNS) { \
                const size_t n = (columns) - left < SUM_COLUMNS ? (columns) - left : SUM_COLUMNS; \
                float block[SUM_COLUMNS] = {0}; \
                size_t row = first; \
                for (; row + SUM_ROWS <= end; row += SUM_ROWS) ADD_ROWS(SUM_ROWS, n, vector, some); \
                for (; row < end; row++) ADD_ROWS(1, n, vector, some); \
                if (first == 0) memcpy((sums) + left, block, n * sizeof(float)); \
                else VARIANT(add)(n, block, (sums) + left); \
            } \
        } \
    } while (0)

void VARIANT(column_sums)(size_t rows, size_t columns, size_t ld, const float *x, float *sums) {
    COLUMN_SUMS(rows, columns, sums, load(x + r * ld + left + i), load_some(x + r * ld + left + i, rest));
}

INLINE vf stored(float *p, vf v) {
    store(p, v);
    return v;
}
INLINE vf stored_some(float *p, vf v, size_t n) {
    store_some(p, v, n);
    return v;
}

// dy = dy * derivative; sums = column sums of the result.
void VARIANT(activation_backward)(size_t rows, size_t columns, const float *derivative, float *dy, float *sums) {
#define AT(x) (x + r * columns + left + i)
    COLUMN_SUMS(rows, columns, sums, stored(AT(dy), load(AT(dy)) * load(AT(derivative))),
                stored_some(AT(dy), load_some(AT(dy), rest) * load_some(AT(derivative), rest), rest));
#undef AT
}

// The backward pass of dropout after a bias: y = dropout(x), sums = column sums of y. Without bits y = x is not
// written.
void VARIANT(dropout_and_sums)(size_t rows, size_t columns, const uint16_t *bits, float scale, const float *x,
    float *y, float *sums) {
    if (!bits) {
        VARIANT(column_sums)(rows, columns, columns, x, sums);
        return;
    }
    const size_t words = (columns + W - 1) / W;
#define AT(x) (x + r * columns + left + i)
#define KEPT(v) choose(lanes_of(bits[r * words + (left + i) / W]), (v) * scale, 0.0f)
    COLUMN_SUMS(rows, columns, sums, stored(AT(y), KEPT(load(AT(x)))), stored_some(AT(y), KEPT(load_some(AT(x), rest)),
        rest));
#undef KEPT
#undef AT
}
