// Products of large matrices: a part of the kernels' one source.
//
// Each element of the result is one chain of fused multiply-adds in the order of the inner dimension, whatever the sizes of blocks
// and tiles: between two blocks of the inner dimension the chain waits in c, so every instruction set gives the same bits.
//
// b is packed, a block of it at a time, into panels as wide as a tile, with zeros for columns that are not there; it stays in the
// second cache while all rows of a pass over it. a is read where it lies, whichever way it is turned: its elements are needed one
// by one, and the rows of a tile stay in the first cache.

#ifdef __AVX512F__
enum { TILE_ROWS = 14, TILE_VECTORS = 2 };  // 28 accumulators of 32 registers
#else
enum { TILE_ROWS = 6, TILE_VECTORS = 1 };  // 12 accumulators of 16 registers, two to a vector; 24 of NEON's 32
#endif
enum { TILE_COLUMNS = TILE_VECTORS * W };

// One tile: c (rows, TILE_COLUMNS) = (add ? c : 0) + a times a panel of b. `rows` is a constant.
INLINE void tile(const int rows, size_t inner, const float *a, size_t a_row, size_t a_step, const float *panel, float *c, size_t c_row,
                 int add) {
    vf sum[TILE_ROWS][TILE_VECTORS];
    UNROLL for (int i = 0; i < rows; i++) {
        if (!add) __builtin_prefetch(c + i * c_row, 1);
        if (!add) __builtin_prefetch(c + i * c_row + TILE_COLUMNS - 1, 1);
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) sum[i][v] = add ? load(c + i * c_row + v * W) : (vf)0.0f;
    }
    for (size_t p = 0; p < inner; p++, a += a_step, panel += TILE_COLUMNS) {
        vf x[TILE_VECTORS];
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) x[v] = load(panel + v * W);
        UNROLL for (int i = 0; i < rows; i++) {
            vf factor = (vf)a[i * a_row];
            UNROLL for (int v = 0; v < TILE_VECTORS; v++) sum[i][v] = fma16(factor, x[v], sum[i][v]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) store(c + i * c_row + v * W, sum[i][v]);
    }
}

#define TILE(count) \
    case count: tile(count, inner, a, a_row, a_step, panel, c, c_row, add); break;
static __attribute__((noinline)) void tile_of(size_t rows, size_t inner, const float *a, size_t a_row, size_t a_step, const float *panel,
                                              float *c, size_t c_row, int add) {
    switch (rows) {
        TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#ifdef __AVX512F__
        TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#endif
    }
}

// A panel: element (p, j) of b lies at panel[p TILE_COLUMNS + j], zeros from column `columns` on.
INLINE void pack_panel(size_t columns, size_t inner, const float *b, size_t b_step, size_t b_column, float *panel) {
    for (size_t left = 0; left < TILE_COLUMNS; left += W) {
        size_t width = left >= columns ? 0 : columns - left < W ? columns - left : W;
        if (b_step == 1 && width > 0) {
            transpose(width, inner, b + left * b_column, b_column, panel + left, TILE_COLUMNS);
        } else {
            const float *from = b + left;
            for (size_t p = 0; p < inner; p++)
                store(panel + p * TILE_COLUMNS + left, width == W ? load(from + p * b_step) : load_some(from + p * b_step, width));
        }
    }
}

// The least size of equal parts, at most `most` each, rounded up to a multiple of `unit`.
INLINE size_t equal_parts(size_t n, size_t most, size_t unit) {
    size_t parts = (n + most - 1) / most;
    return ((n + parts - 1) / parts + unit - 1) / unit * unit;
}

void VARIANT(multiply)(const apus_product *s, const float *a, const float *b, float *c, float *scratch) {
    const size_t inner_block = equal_parts(s->k, APUS_PRODUCT_INNER, 1), column_block = equal_parts(s->n, APUS_PRODUCT_COLUMNS, TILE_COLUMNS);
    for (size_t p = 0; p < s->k; p += inner_block) {
        const size_t inner = s->k - p < inner_block ? s->k - p : inner_block;
        const int add = s->add || p > 0;
        for (size_t left = 0; left < s->n; left += column_block) {
            const size_t n = s->n - left < column_block ? s->n - left : column_block;
            for (size_t j = 0; j < n; j += TILE_COLUMNS)
                pack_panel(n - j < TILE_COLUMNS ? n - j : TILE_COLUMNS, inner, b + p * s->b_step + (left + j) * s->b_column, s->b_step,
                           s->b_column, scratch + j * inner);
            for (size_t i = 0; i < s->m; i += TILE_ROWS) {
                const size_t rows = s->m - i < TILE_ROWS ? s->m - i : TILE_ROWS;
                const float *x = a + i * s->a_row + p * s->a_step;
                float *y = c + i * s->c_row + left;
                size_t j = 0;
                for (; j + TILE_COLUMNS <= n; j += TILE_COLUMNS)
                    tile_of(rows, inner, x, s->a_row, s->a_step, scratch + j * inner, y + j, s->c_row, add);
                if (j == n) continue;
                float last[TILE_ROWS * TILE_COLUMNS];  // a tile that reaches beyond c
                const size_t bytes = (n - j) * sizeof(float);
                memset(last, 0, sizeof last);
                for (size_t r = 0; add && r < rows; r++) memcpy(last + r * TILE_COLUMNS, y + r * s->c_row + j, bytes);
                tile_of(rows, inner, x, s->a_row, s->a_step, scratch + j * inner, last, TILE_COLUMNS, add);
                for (size_t r = 0; r < rows; r++) memcpy(y + r * s->c_row + j, last + r * TILE_COLUMNS, bytes);
            }
        }
    }
}
