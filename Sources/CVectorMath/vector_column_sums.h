// Sums of columns, and the backward passes that need them: a part of the kernels' one source.
//
// The order is the same on every processor and for every division of the work: in each lane fixed blocks of
// APUS_SUM_ROWS rows, counted from its first row. The rows of a block are added in order, starting from +0, then the
// blocks in order, then the lanes in the order of their tree.

// Rows that are added together, so that a block's sums are read and written once per group of rows.
enum { SUM_ROWS = 4 };
// Columns of one block whose sums exist at a time.
enum { SUM_COLUMNS = 256 };
_Static_assert(APUS_SUM_ROWS % SUM_ROWS == 0 && SUM_COLUMNS % W == 0, "whole rounds");

// `vector` gives the summand in row r of the vector at column left + i; `some` is the same for `rest` columns.
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
#define COLUMN_SUMS(lanes, columns, sums, vector, some) \
    do { \
        for (size_t left = 0; left < (columns); left += SUM_COLUMNS) { \
            const size_t n = (columns) - left < SUM_COLUMNS ? (columns) - left : SUM_COLUMNS; \
            float waiting[APUS_MOST_SUMS][SUM_COLUMNS]; \
            size_t depth = 0; \
            for (size_t lane = 0; lane < (lanes)->count; lane++) { \
                const size_t begin = (size_t)(lanes)->first[lane], stop = (size_t)(lanes)->first[lane + 1]; \
                float *total = waiting[depth++]; \
                for (size_t first = begin; first == begin || first < stop; first += APUS_SUM_ROWS) { \
                    const size_t end = stop - first < APUS_SUM_ROWS ? stop : first + APUS_SUM_ROWS; \
                    float block[SUM_COLUMNS] = {0}; \
                    size_t row = first; \
                    for (; row + SUM_ROWS <= end; row += SUM_ROWS) ADD_ROWS(SUM_ROWS, n, vector, some); \
                    for (; row < end; row++) ADD_ROWS(1, n, vector, some); \
                    if (first == begin) memcpy(total, block, n * sizeof(float)); \
                    else VARIANT(add)(n, block, total); \
                } \
                for (size_t join = 0; join < (lanes)->joins[lane]; join++, depth--) \
                    VARIANT(add)(n, waiting[depth - 1], waiting[depth - 2]); \
            } \
            memcpy((sums) + left, waiting[0], n * sizeof(float)); \
        } \
    } while (0)

void VARIANT(column_sums)(const apus_lanes *lanes, size_t columns, size_t ld, const float *x, float *sums) {
    COLUMN_SUMS(lanes, columns, sums, load(x + r * ld + left + i), load_some(x + r * ld + left + i, rest));
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
void VARIANT(activation_backward)(const apus_lanes *lanes, size_t columns, size_t ld, const float *derivative,
    float *dy, float *sums) {
#define AT(x) (x + r * ld + left + i)
    COLUMN_SUMS(lanes, columns, sums, stored(AT(dy), load(AT(dy)) * load(AT(derivative))),
                stored_some(AT(dy), load_some(AT(dy), rest) * load_some(AT(derivative), rest), rest));
#undef AT
}

// The backward pass of dropout after a bias: y = dropout(x), sums = column sums of y. The bits of a row are those of
// `ld` columns.
void VARIANT(dropout_and_sums)(const apus_lanes *lanes, size_t columns, size_t ld, const uint16_t *bits, float scale,
    const float *x, float *y, float *sums) {
    const size_t words = (ld + W - 1) / W;
#define AT(x) (x + r * ld + left + i)
#define KEPT(v) choose(lanes_of(bits[r * words + (left + i) / W]), (v) * scale, 0.0f)
    COLUMN_SUMS(lanes, columns, sums, stored(AT(y), KEPT(load(AT(x)))),
                stored_some(AT(y), KEPT(load_some(AT(x), rest)), rest));
#undef KEPT
#undef AT
}
