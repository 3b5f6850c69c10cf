// Transposing a matrix, sixteen rows and columns at a time: a part of the kernels' one source.

// Pairs of rows exchange the halves of each group of 2 `step` elements.
#define EXCHANGE(step, ...) \
    UNROLL for (int i = 0; i < W; i++) \
        if (!(i & step)) { \
            vf a = r[i], b = r[i + step]; \
            r[i] = __builtin_shufflevector(a, b, EVEN_##step); \
            r[i + step] = __builtin_shufflevector(a, b, ODD_##step); \
        }
#define EVEN_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define ODD_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define EVEN_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define ODD_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define EVEN_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define ODD_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define EVEN_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define ODD_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31

// y (width, 16) is the transpose of x (height, width), neither beyond 16, with zeros for missing rows. `whole`: both
// are 16.
INLINE void transpose_square(const int whole, size_t height, size_t width, const float *x, size_t x_row, float *y,
    size_t y_row) {
    vf r[W];
    UNROLL for (int i = 0; i < W; i++)
        r[i] = whole                 ? load(x + i * x_row)
               : (size_t)i >= height ? (vf)0.0f
               : width == W          ? load(x + i * x_row)
                                     : load_some(x + i * x_row, width);
    EXCHANGE(1) EXCHANGE(2) EXCHANGE(4) EXCHANGE(8)
    UNROLL for (int i = 0; i < W; i++)
        if (whole || (size_t)i < width) store(y + i * y_row, r[i]);
}

// y (n, rows rounded up to whole vectors) is the transpose of x (rows, n), with zeros for missing rows.
static __attribute__((noinline)) void transpose(size_t rows, size_t n, const float *x, size_t x_row, float *y,
    size_t y_row) {
    for (size_t top = 0; top < rows; top += W)
        for (size_t left = 0; left < n; left += W) {
            size_t height = rows - top < W ? rows - top : W, width = n - left < W ? n - left : W;
            const float *from = x + top * x_row + left;
            float *to = y + left * y_row + top;
            if (height == W && width == W) transpose_square(1, W, W, from, x_row, to, y_row);
            else transpose_square(0, height, width, from, x_row, to, y_row);
        }
}
