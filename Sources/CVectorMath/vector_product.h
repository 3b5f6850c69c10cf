// Matrix products of every shape: a part of the kernels' one source.
//
// Each element of the result is one chain of fused multiply-adds in ascending order of the inner dimension, whatever
// the sizes of blocks and tiles: between two blocks of the inner dimension the chain waits in c, so every instruction
// set gives the same bits. Outputs of at most one vector of columns (classifiers, adapters of low rank) use tiles of
// one vector.
//
// If the inner dimension consists of the rows of several lanes, an element has one chain for each lane. They are added
// in the order of the lanes' tree while a part of the result is in the L2 cache, so that several lanes cost one pass
// over the result.
//
// A block of b stays in the L2 cache while the rows of a pass over it, one tile of rows at a time; the tile's rows stay
// in the L1 cache. Columns of b are copied into panels as wide as a tile; zeros fill up the last one. With AVX-512, if
// the processor favors it (apus_reads_in_place), both factors are read in place instead, except strided columns of b
// and rows whose distance makes them collide in a cache; a block is then longer and narrower.

#ifdef WIDE_REGISTERS
enum { TILE_ROWS = 14, TILE_VECTORS = 2, IN_PLACE = 1 };  // 28 accumulators of 32 registers
#else
// 12 accumulators of 16 registers, two to a vector; 24 of NEON's 32
enum { TILE_ROWS = 6, TILE_VECTORS = 1, IN_PLACE = 0 };
#endif
enum { TILE_COLUMNS = TILE_VECTORS * W };

// Largest block of b: elements along the inner dimension, and columns.
enum { COPIED_INNER = 256, COPIED_COLUMNS = 384, READ_INNER = 512, READ_COLUMNS = 192, MOST_IN_BLOCK = 98304 };
_Static_assert(COPIED_INNER * COPIED_COLUMNS <= MOST_IN_BLOCK && READ_INNER * READ_COLUMNS <= MOST_IN_BLOCK,
    "a block of b");
_Static_assert(READ_INNER >= APUS_MOST_FINISHED, "a chain that is added when it is finished");
// Rows of a result that are computed for one lane after the other, and the sums of lanes that wait to be added.
enum { CHUNK_ROWS = 16 * TILE_ROWS, CHUNK = CHUNK_ROWS * COPIED_COLUMNS };
_Static_assert(MOST_IN_BLOCK + TILE_ROWS * (READ_INNER + W) + (APUS_MOST_SUMS - 1) * CHUNK <= APUS_PRODUCT_SCRATCH,
    "and a tile's rows of a, and sums of lanes");

// Rows at multiples of this distance share few cache lines and evict each other.
INLINE int collide(size_t row) { return row % 1024 == 0; }

// One tile: c (rows, W vectors) = a times columns of b, the chains starting from 0, from c, or from 0 with c added in
// the end, as `add` says. `rows` and `vectors` are constants.
INLINE void tile(const int rows, const int vectors, size_t inner, const float *a, size_t a_row, size_t a_step,
    const float *b, size_t b_step, float *c,
                 size_t c_row, int add) {
    vf sum[TILE_ROWS][TILE_VECTORS];
    UNROLL for (int i = 0; i < rows; i++) {
        __builtin_prefetch(c + i * c_row, 1);
        __builtin_prefetch(c + i * c_row + vectors * W - 1, 1);
        UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = (vf)0.0f;
    }
    if (add == APUS_START_FROM) {
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = load(c + i * c_row + v * W);
        }
    }
    for (size_t p = 0; p < inner; p++, a += a_step, b += b_step) {
        vf x[TILE_VECTORS];
        UNROLL for (int v = 0; v < vectors; v++) x[v] = load(b + v * W);
        UNROLL for (int i = 0; i < rows; i++) {
            vf factor = (vf)a[i * a_row];
            UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = fma16(factor, x[v], sum[i][v]);
        }
    }
    if (add == APUS_ADD_FINISHED) {
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = load(c + i * c_row + v * W) + sum[i][v];
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) store(c + i * c_row + v * W, sum[i][v]);
    }
}

#define TILE(count) \
    case count: tile(count, vectors, inner, a, a_row, a_step, b, b_step, c, c_row, add); break;
INLINE void tile_rows(size_t rows, const int vectors, size_t inner, const float *a, size_t a_row, size_t a_step,
    const float *b,
                      size_t b_step, float *c, size_t c_row, int add) {
    switch (rows) {
        TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#ifdef WIDE_REGISTERS
        TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#endif
    }
}

static __attribute__((noinline)) void tile_of(size_t rows, size_t inner, const float *a, size_t a_row, size_t a_step,
    const float *b,
                                              size_t b_step, float *c, size_t c_row, int add) {
    tile_rows(rows, TILE_VECTORS, inner, a, a_row, a_step, b, b_step, c, c_row, add);
}

static __attribute__((noinline)) void one_vector_tile_of(size_t rows, size_t inner, const float *a, size_t a_row,
    size_t a_step,
                                                         const float *b, size_t b_step, float *c, size_t c_row,
                                                             int add) {
    tile_rows(rows, 1, inner, a, a_row, a_step, b, b_step, c, c_row, add);
}

// A tile of which only the first `columns` columns exist.
static void narrow_tile(size_t columns, size_t rows, size_t inner, const float *a, size_t a_row, size_t a_step,
    const float *panel, float *c, size_t c_row, int add) {
    float whole[TILE_ROWS * TILE_COLUMNS] = {0};
    for (size_t r = 0; add != APUS_OVERWRITE && r < rows; r++) memcpy(whole + r * TILE_COLUMNS, c + r * c_row,
        columns * sizeof(float));
    (columns > W ? tile_of : one_vector_tile_of)(rows, inner, a, a_row, a_step, panel, TILE_COLUMNS, whole,
        TILE_COLUMNS, add);
    for (size_t r = 0; r < rows; r++) memcpy(c + r * c_row, whole + r * TILE_COLUMNS, columns * sizeof(float));
}

// A panel: element (p, j) of b lies at panel[p TILE_COLUMNS + j], with zeros behind the last column up to a whole
// vector.
static void pack_panel(size_t columns, size_t inner, const float *b, size_t b_step, size_t b_column, float *panel) {
    for (size_t left = 0; left < columns; left += W) {
        size_t width = columns - left < W ? columns - left : W;
        if (b_column != 1) {
            transpose(width, inner, b + left * b_column, b_column, panel + left, TILE_COLUMNS);
        } else {
            for (size_t p = 0; p < inner; p++) {
                const float *from = b + p * b_step + left;
                store(panel + p * TILE_COLUMNS + left, width == W ? load(from) : load_some(from, width));
            }
        }
    }
}

// Prefetches memory that is needed soon into the L2 cache, a few lines at a time: the processor cannot predict rows
// that are far apart.
typedef struct {
    const float *row;
    size_t distance, width, column, lines;
} foresight;

INLINE foresight foresee(const float *from, size_t rows, size_t width, size_t distance) {
    return (foresight){from, distance, width, 0, rows * ((width + W - 1) / W)};
}

INLINE void fetch(foresight *f, size_t lines) {
    for (; lines > 0 && f->lines > 0; lines--, f->lines--) {
        __builtin_prefetch(f->row + f->column, 0, 2);
        f->column += W;
        if (f->column >= f->width) {
            f->column = 0;
            f->row += f->distance;
        }
    }
}

// The smallest size of equal parts, at most `most` each, rounded up to a multiple of `unit`.
INLINE size_t equal_parts(size_t n, size_t most, size_t unit) {
    size_t parts = (n + most - 1) / most;
    return ((n + parts - 1) / parts + unit - 1) / unit * unit;
}

INLINE size_t at_most(size_t n, size_t limit) { return n < limit ? n : limit; }

// The rows of a of one tile, copied: as rows with a larger distance if they collide in the cache, else transposed,
// element after element of the inner dimension.
INLINE void copy_of_a(int as_rows, size_t rows, size_t inner, const float *a, size_t a_row, size_t a_step,
    float *copy) {
    if (as_rows) {
        for (size_t r = 0; r < rows; r++) memcpy(copy + r * (inner + W), a + r * a_row, inner * sizeof(float));
    } else {
        for (size_t p = 0; p < inner; p++)
            for (size_t r = 0; r < rows; r++) copy[p * TILE_ROWS + r] = a[p * a_step + r];
    }
}

// All rows of a over one block of b: columns `left` ..< `left` + n, elements `first` ..< `first` + inner of the inner
// dimension.
INLINE void multiply_block(const apus_product *s, int reads, const float *a, const float *b, float *c, float *scratch,
    size_t first,
                           size_t inner, size_t left, size_t n, foresight next_block) {
    const int add = first > 0 ? APUS_START_FROM : s->add, in_place = reads && s->b_column == 1 && !collide(s->b_step);
    const int as_rows = s->a_step == 1, copied = as_rows ? collide(s->a_row) : !reads;
    const size_t x_row = !copied ? s->a_row : as_rows ? inner + W : 1, x_step = !copied ? s->a_step : as_rows ? 1
        : TILE_ROWS;
    float *copy = scratch + MOST_IN_BLOCK;
    a += first * s->a_step;
    b += first * s->b_step + left * s->b_column;
    c += left;
    for (size_t j = 0; j < n; j += TILE_COLUMNS)
        if (!in_place || n - j < TILE_COLUMNS)
            pack_panel(at_most(n - j, TILE_COLUMNS), inner, b + j * s->b_column, s->b_step, s->b_column, scratch
                + j * inner);
    const size_t tiles = (n + TILE_COLUMNS - 1) / TILE_COLUMNS;
    const size_t block_share = next_block.lines / (tiles * ((s->m + TILE_ROWS - 1) / TILE_ROWS)) + 1;
    for (size_t i = 0; i < s->m; i += TILE_ROWS, a += TILE_ROWS * s->a_row, c += TILE_ROWS * s->c_row) {
        const size_t rows = at_most(s->m - i, TILE_ROWS), next_rows = at_most(s->m - i - rows, TILE_ROWS);
        const float *next = a + TILE_ROWS * s->a_row, *x = copied ? copy : a;
        foresight next_a = as_rows ? foresee(next, next_rows, inner, s->a_row) : foresee(next, next_rows ? inner : 0,
            2 * W, s->a_step);
        const size_t a_share = next_a.lines / tiles + 1;
        if (copied) copy_of_a(as_rows, rows, inner, a, s->a_row, s->a_step, copy);
        for (size_t j = 0; j < n; j += TILE_COLUMNS) {
            fetch(&next_block, block_share);
            fetch(&next_a, a_share);
            const float *panel = scratch + j * inner;
            if (n - j < TILE_COLUMNS) narrow_tile(n - j, rows, inner, x, x_row, x_step, panel, c + j, s->c_row, add);
            else if (in_place) tile_of(rows, inner, x, x_row, x_step, b + j, s->b_step, c + j, s->c_row, add);
            else tile_of(rows, inner, x, x_row, x_step, panel, TILE_COLUMNS, c + j, s->c_row, add);
        }
    }
}

// One lane of a part of the result: at most CHUNK_ROWS rows, and columns of one block.
INLINE void multiply_lane(const apus_product *s, int reads, const float *a, const float *b, float *c, float *scratch) {
    const size_t most = s->k ? equal_parts(s->k, READ_INNER, 1) : 1;
    const foresight nothing = {0};
    // A lane without rows gives zeros.
    for (size_t first = 0; first == 0 || first < s->k; first += most)
        multiply_block(s, reads, a, b, c, scratch, first, at_most(s->k - first, most), 0, s->n, nothing);
}

typedef struct {
    const apus_product *product;
    int reads;
    const float *a, *b;
    float *scratch;
} lane_work;

// One lane's product, or, if its chains can be added when they are finished, that added to the old values.
static int lane_product(const void *work, size_t lane, size_t top, size_t left, size_t m, size_t n, float *into,
    size_t into_row, int add) {
    const lane_work *w = work;
    const apus_product *s = w->product;
    const size_t first = (size_t)s->lanes->first[lane], inner = (size_t)s->lanes->first[lane + 1] - first;
    if (add && inner > READ_INNER) return 0;
    const apus_product part = {m, n, inner, s->a_row, s->a_step, s->b_step, s->b_column, into_row, add
        ? APUS_ADD_FINISHED : APUS_OVERWRITE, 0};
    multiply_lane(&part, w->reads, w->a + top * s->a_row + first * s->a_step, w->b + left * s->b_column
        + first * s->b_step, into, w->scratch);
    return 1;
}

// The rows of several lanes. A part of the result stays in the L2 cache while each lane's chains are computed and added
// to it, in the order of the tree.
static void multiply_lanes(const apus_product *s, int reads, const float *a, const float *b, float *c,
    float *scratch) {
    const lane_work work = {s, reads, a, b, scratch};
    size_t longest = 0;
    for (size_t lane = 0; lane < s->lanes->count; lane++) {
        const size_t inner = (size_t)(s->lanes->first[lane + 1] - s->lanes->first[lane]);
        if (inner > longest) longest = inner;
    }
    const size_t widest = equal_parts(s->n, longest > COPIED_INNER ? READ_COLUMNS : COPIED_COLUMNS, TILE_COLUMNS);
    for (size_t left = 0; left < s->n; left += widest)
        for (size_t top = 0; top < s->m; top += CHUNK_ROWS)
            apus_sum_lanes(s->lanes, s->add == APUS_ADD_FINISHED, &work, lane_product, VARIANT(add), top, left,
                at_most(s->m - top, CHUNK_ROWS), at_most(s->n - left, widest), c + top * s->c_row + left, s->c_row,
                scratch + MOST_IN_BLOCK + TILE_ROWS * (READ_INNER + W), COPIED_COLUMNS, CHUNK);
}

INLINE void multiply_blocks(const apus_product *s, const float *a, const float *b, float *c, float *scratch) {
    const int reads = IN_PLACE && apus_reads_in_place();
    if (s->lanes) {
        multiply_lanes(s, reads, a, b, c, scratch);
        return;
    }
    // A chain that is added when it is finished cannot be stored between two blocks.
    const int tall = reads || s->add == APUS_ADD_FINISHED;
    const size_t most = equal_parts(s->k, tall ? READ_INNER : COPIED_INNER, 1);
    const size_t widest = equal_parts(s->n, tall ? READ_COLUMNS : COPIED_COLUMNS, TILE_COLUMNS);
    for (size_t first = 0; first < s->k; first += most) {
        for (size_t left = 0; left < s->n; left += widest) {
            const int last = left + widest >= s->n;  // of these elements of the inner dimension
            const size_t next_left = last ? 0 : left + widest, next_first = last ? first + most : first;
            const size_t n = at_most(s->n - next_left, widest), inner = next_first < s->k ? at_most(s->k - next_first,
                most) : 0;
            const float *next = b + next_first * s->b_step + next_left * s->b_column;
            foresight block = s->b_column == 1 ? foresee(next, inner, n, s->b_step) : foresee(next, inner ? n : 0,
                inner, s->b_column);
            multiply_block(s, reads, a, b, c, scratch, first, at_most(s->k - first, most), left, at_most(s->n - left,
                widest), block);
        }
    }
}

// Columns of the result that are computed as rows in one pass.
enum { TURNED_COLUMNS = 192 };

// A product with few columns and scattered rows of a, such as the gradient of a classifier or of an adapter: the result
// is transposed, so that vectors run along the rows of a, which then need not be transposed. Every element's chain is
// the same.
static void multiply_turned(const apus_product *s, const float *a, const float *b, float *c, float *scratch) {
    float turned[W * TURNED_COLUMNS];
    for (size_t first = 0; first < s->m; first += TURNED_COLUMNS) {
        const size_t width = at_most(s->m - first, TURNED_COLUMNS);
        float *from = c + first * s->c_row;
        for (size_t i = 0; s->add != APUS_OVERWRITE && i < width; i++)
            for (size_t j = 0; j < s->n; j++) turned[j * width + i] = from[i * s->c_row + j];
        const apus_product t = {s->n, width, s->k, s->b_column, s->b_step, s->a_step, s->a_row, width, s->add,
            s->lanes};
        multiply_blocks(&t, b, a + first * s->a_row, turned, scratch);
        for (size_t i = 0; i < width; i++)
            for (size_t j = 0; j < s->n; j++) from[i * s->c_row + j] = turned[j * width + i];
    }
}

// Chains without elements: +0, to which an old value is added.
static void multiply_nothing(const apus_product *s, float *c) {
    for (size_t i = 0; i < s->m; i++)
        for (size_t j = 0; j < s->n; j++) {
            float *old = c + i * s->c_row + j;
            if (s->add == APUS_OVERWRITE) *old = 0;
            else if (s->add == APUS_ADD_FINISHED) *old += 0.0f;
        }
}

void VARIANT(multiply)(const apus_product *s, const float *a, const float *b, float *c, float *scratch) {
    if (s->k == 0 && !s->lanes) multiply_nothing(s, c);
    else if (s->n <= W && s->n < s->m && s->a_step != 1) multiply_turned(s, a, b, c, scratch);
    else multiply_blocks(s, a, b, c, scratch);
}
