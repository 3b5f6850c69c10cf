// Factors rounded to bf16, in pairs along the inner dimension, and products of them by fused multiply-adds in single
// precision: a part of the kernels' one source. docs/arithmetic.md says what they compute.
//
// A pair is one word: the element with the even number in its lower half. A left factor holds its rows one after
// another; a right factor holds panels of 32 columns, pair after pair. Missing elements of the last pairs are +0.

INLINE word_vector pair_of(vf even, vf odd) { return (round_to_bf16(even) >> 16) | round_to_bf16(odd); }

INLINE vf load_first(const float *x, size_t n) { return n >= W ? load(x) : n ? load_some(x, n) : (vf)0.0f; }

// Sixteen pairs of 32 consecutive elements, of which the first n exist.
INLINE word_vector pairs_along(const float *x, size_t n) {
    const vf first = load_first(x, n), second = n > W ? load_first(x + W, n - W) : (vf)0.0f;
    return pair_of(__builtin_shufflevector(first, second, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
        __builtin_shufflevector(first, second, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31));
}

// Sixteen pairs of two rows, of which the first n columns exist; the second row may be missing.
INLINE word_vector pairs_across(const float *x, size_t x_row, int both, size_t n) {
    return pair_of(load_first(x, n), both ? load_first(x + x_row, n) : (vf)0.0f);
}

INLINE void turn_words(const uint32_t *x, uint32_t *y, size_t y_row) {
    transpose_square(1, W, W, (const float *)x, W, (float *)y, y_row);
}

void VARIANT(left_pairs)(size_t rows, size_t n, const float *x, size_t x_row, uint32_t *y, size_t y_row) {
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i += 2 * W) store_words(y + r * y_row + i / 2, pairs_along(x + r * x_row + i, n - i));
}

void VARIANT(left_pairs_turned)(size_t rows, size_t n, const float *x, size_t x_row, uint32_t *y, size_t y_row) {
    uint32_t square[W * W], turned[W * W];
    for (size_t top = 0; top < rows; top += 2 * W)
        for (size_t left = 0; left < n; left += W) {
            for (size_t p = 0; p < W; p++) {
                const size_t row = top + 2 * p;
                store_words(square + p * W, row < rows ? pairs_across(x + row * x_row + left, x_row, row + 1 < rows,
                    n - left) : (word_vector)0u);
            }
            if (n - left >= W) {
                turn_words(square, y + left * y_row + top / 2, y_row);
            } else {
                turn_words(square, turned, W);
                for (size_t j = 0; j < n - left; j++) store_words(y + (left + j) * y_row + top / 2, load_words(turned
                    + j * W));
            }
        }
}

void VARIANT(right_pairs)(size_t rows, size_t n, const float *x, size_t x_row, uint32_t *y, size_t panel) {
    const size_t pairs = (rows + 2 * W - 1) / (2 * W) * W;
    for (size_t p = 0; p < pairs; p++) {
        const size_t row = 2 * p;
        for (size_t j = 0; j < n; j += W)
            store_words(y + j / 32 * panel + p * 32 + j % 32, row < rows ? pairs_across(x + row * x_row + j, x_row,
                row + 1 < rows, n - j) : (word_vector)0u);
        if ((n - 1) % 32 < W) store_words(y + n / 32 * panel + p * 32 + W, (word_vector)0u);
    }
}

void VARIANT(right_pairs_turned)(size_t columns, size_t inner, const float *x, size_t x_row, uint32_t *y,
    size_t panel) {
    uint32_t square[W * W];
    for (size_t j = 0; j < (columns + 31) / 32 * 32; j += W)
        for (size_t i = 0; i < inner; i += 2 * W) {
            for (size_t c = 0; c < W; c++)
                store_words(square + c * W, j + c < columns ? pairs_along(x + (j + c) * x_row + i, inner - i)
                    : (word_vector)0u);
            turn_words(square, y + j / 32 * panel + i / 2 * 32 + j % 32, 32);
        }
}

// The rows of a left factor (rows, n) as a right one: pairs along the columns become pairs across the rows. A left
// factor's rows are filled up to 32 columns.
void VARIANT(right_pairs_of_left)(size_t rows, size_t n, const uint32_t *x, size_t x_row, uint32_t *y, size_t panel) {
    const size_t pairs = (rows + 2 * W - 1) / (2 * W) * W;
    for (size_t p = 0; p < pairs; p++) {
        const size_t row = 2 * p;
        for (size_t j = 0; j < n; j += 2 * W) {
            const uint32_t *from = x + row * x_row + j / 2;
            const word_vector upper = row < rows ? load_words(from) : (word_vector)0u;
            const word_vector lower = row + 1 < rows ? load_words(from + x_row) : (word_vector)0u;
            const word_vector even = (upper & 0xffffu) | (lower << 16), odd = (upper >> 16) | (lower & 0xffff0000u);
            uint32_t *to = y + j / 32 * panel + p * 32;
            store_words(to, __builtin_shufflevector(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
            store_words(to + W, __builtin_shufflevector(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14,
                30, 15, 31));
        }
    }
}

INLINE vf even_of(word_vector pairs) { return floats_of(pairs << 16); }
INLINE vf odd_of(word_vector pairs) { return floats_of(pairs & 0xffff0000u); }

// One tile: c (rows, 32) = or += a times one panel, where a's elements lie apart as single-precision numbers: element
// (i, 2 p + s) at a[(2 p + s) TILE_ROWS + i].
INLINE void pair_tile(const int rows, const int vectors, const int order, size_t pairs, const float *a,
    const uint32_t *b, float *c, size_t c_row, int add) {
    vf sum[TILE_ROWS][TILE_VECTORS];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++)
            sum[i][v] = add ? started_from(load(c + i * c_row + v * W)) : (vf)0.0f;
    if (order == APUS_PAIR_ORDER) {
        for (size_t p = 0; p < pairs; p++, a += 2 * TILE_ROWS, b += 32) {
            vf even[TILE_VECTORS], odd[TILE_VECTORS];
            UNROLL for (int v = 0; v < vectors; v++) {
                const word_vector words = load_words(b + v * W);
                even[v] = even_of(words);
                odd[v] = odd_of(words);
            }
            UNROLL for (int i = 0; i < rows; i++)
                UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = chain((vf)a[TILE_ROWS + i], odd[v], sum[i][v]);
            UNROLL for (int i = 0; i < rows; i++)
                UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = chain((vf)a[i], even[v], sum[i][v]);
        }
    } else {
        vf evens[TILE_ROWS][TILE_VECTORS];
        for (size_t p = 0; p < pairs; p += 16) {
            UNROLL for (int half = 0; half < 2; half++) {
                vf part[TILE_ROWS][TILE_VECTORS];
                UNROLL for (int i = 0; i < rows; i++)
                    UNROLL for (int v = 0; v < vectors; v++) part[i][v] = (vf)0.0f;
                const float *x = a + (2 * p + half) * TILE_ROWS;
                const uint32_t *y = b + p * 32;
                for (size_t q = 0; q < 16; q++, x += 2 * TILE_ROWS, y += 32) {
                    vf element[TILE_VECTORS];
                    UNROLL for (int v = 0; v < vectors; v++) {
                        const word_vector words = load_words(y + v * W);
                        element[v] = half ? odd_of(words) : even_of(words);
                    }
                    UNROLL for (int i = 0; i < rows; i++)
                        UNROLL for (int v = 0; v < vectors; v++) part[i][v] = chain((vf)x[i], element[v], part[i][v]);
                }
                UNROLL for (int i = 0; i < rows; i++)
                    UNROLL for (int v = 0; v < vectors; v++) {
                        if (half) sum[i][v] = join(sum[i][v], join(evens[i][v], part[i][v]));
                        else evens[i][v] = part[i][v];
                    }
            }
        }
    }
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++) store(c + i * c_row + v * W, sum[i][v]);
}

static __attribute__((noinline)) void pair_tile_in_pair_order(size_t pairs, const float *a, const uint32_t *b,
    float *c, size_t c_row, int add) {
    pair_tile(TILE_ROWS, TILE_VECTORS, APUS_PAIR_ORDER, pairs, a, b, c, c_row, add);
}

static __attribute__((noinline)) void pair_tile_in_tile_order(size_t pairs, const float *a, const uint32_t *b,
    float *c, size_t c_row, int add) {
    pair_tile(TILE_ROWS, TILE_VECTORS, APUS_TILE_ORDER, pairs, a, b, c, c_row, add);
}

void VARIANT(multiply_pairs)(const apus_pair_block *s, const uint32_t *left, const uint32_t *right, float *c,
    float *scratch) {
    float whole[TILE_ROWS * TILE_COLUMNS];
    for (size_t i = 0; i < s->m; i += TILE_ROWS) {
        const size_t rows = at_most(s->m - i, TILE_ROWS);
        for (size_t r = 0; r < TILE_ROWS; r++)
            for (size_t p = 0; p < s->pairs; p++) {
                const uint32_t pair = r < rows ? left[(i + r) * s->left_row + p] : 0;
                const uint32_t even = pair << 16, odd = pair & 0xffff0000u;
                memcpy(scratch + 2 * p * TILE_ROWS + r, &even, sizeof even);
                memcpy(scratch + (2 * p + 1) * TILE_ROWS + r, &odd, sizeof odd);
            }
        for (size_t j = 0; j < s->n; j += TILE_COLUMNS) {
            const uint32_t *b = right + j / 32 * s->panel + j % 32;
            float *own = c + i * s->c_row + j;
            const size_t columns = at_most(s->n - j, TILE_COLUMNS);
            const int partial = rows < TILE_ROWS || columns < TILE_COLUMNS;
            float *to = partial ? whole : own;
            const size_t to_row = partial ? TILE_COLUMNS : s->c_row;
            if (partial && s->add) {
                memset(whole, 0, sizeof whole);
                for (size_t r = 0; r < rows; r++) memcpy(whole + r * TILE_COLUMNS, own + r * s->c_row,
                    columns * sizeof(float));
            }
            const unsigned mode = begin_chains();
            (s->order == APUS_PAIR_ORDER ? pair_tile_in_pair_order : pair_tile_in_tile_order)(s->pairs, scratch, b,
                to, to_row, s->add);
            end_chains(mode);
            if (partial)
                for (size_t r = 0; r < rows; r++) memcpy(own + r * s->c_row, whole + r * TILE_COLUMNS,
                    columns * sizeof(float));
        }
    }
}
