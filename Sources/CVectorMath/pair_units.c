// Products in bf16 by the processor's own units: VDPBF16PS of AVX-512, and the tiles of AMX.
#include "pair_units.h"
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DOT_PRODUCTS __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define TILES __attribute__((target("amx-tile,amx-bf16")))
enum { TILE_ROWS = 14, PANEL = 32 };

DOT_PRODUCTS static inline __attribute__((always_inline)) void dot_products(const int rows, size_t pairs,
    const uint32_t *a, size_t a_row, const uint32_t *b, float *c, size_t c_row, int add) {
    __m512 sum[TILE_ROWS][2];
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++)
        for (int v = 0; v < 2; v++) sum[i][v] = add ? _mm512_loadu_ps(c + i * c_row + v * 16) : _mm512_setzero_ps();
    for (size_t p = 0; p < pairs; p++, a++, b += PANEL) {
        const __m512bh x = (__m512bh)_mm512_loadu_si512(b), y = (__m512bh)_mm512_loadu_si512(b + 16);
        _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {
            const __m512bh factor = (__m512bh)_mm512_set1_epi32((int)a[i * a_row]);
            sum[i][0] = _mm512_dpbf16_ps(sum[i][0], factor, x);
            sum[i][1] = _mm512_dpbf16_ps(sum[i][1], factor, y);
        }
    }
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++)
        for (int v = 0; v < 2; v++) _mm512_storeu_ps(c + i * c_row + v * 16, sum[i][v]);
}

#define CASE(count) \
    case count: dot_products(count, pairs, a, a_row, b, c, c_row, add); break;
DOT_PRODUCTS static __attribute__((noinline)) void dot_products_of(size_t rows, size_t pairs, const uint32_t *a,
    size_t a_row, const uint32_t *b, float *c, size_t c_row, int add) {
    switch (rows) {
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7)
        CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
    }
}

static size_t at_most(size_t n, size_t limit) { return n < limit ? n : limit; }

// Copies a part of a tile's rows and columns.
static void copy(size_t rows, size_t columns, const float *x, size_t x_row, float *y, size_t y_row) {
    for (size_t r = 0; r < rows; r++) memcpy(y + r * y_row, x + r * x_row, columns * sizeof(float));
}

DOT_PRODUCTS static void multiply_by_dot_products(const apus_pair_block *s, const uint32_t *left,
    const uint32_t *right, float *c, float *scratch) {
    (void)scratch;
    float whole[TILE_ROWS * PANEL];
    for (size_t i = 0; i < s->m; i += TILE_ROWS)
        for (size_t j = 0; j < s->n; j += PANEL) {
            const size_t rows = at_most(s->m - i, TILE_ROWS), columns = at_most(s->n - j, PANEL);
            const uint32_t *a = left + i * s->left_row, *b = right + j / PANEL * s->panel;
            float *own = c + i * s->c_row + j;
            if (columns == PANEL) {
                dot_products_of(rows, s->pairs, a, s->left_row, b, own, s->c_row, s->add);
                continue;
            }
            memset(whole, 0, sizeof whole);
            if (s->add) copy(rows, columns, own, s->c_row, whole, PANEL);
            dot_products_of(rows, s->pairs, a, s->left_row, b, whole, PANEL, s->add);
            copy(rows, columns, whole, PANEL, own, s->c_row);
        }
}

// Four accumulators of 16 x 16; two factors of 16 rows or columns and 16 pairs on each side.
typedef struct {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;

TILES static inline __attribute__((always_inline)) void tiles(const int lower, size_t pairs, const uint32_t *a,
    size_t a_row, const uint32_t *b, float *c, size_t c_row, int add) {
    const size_t c_bytes = c_row * sizeof(float), a_bytes = a_row * sizeof(uint32_t), b_bytes = PANEL
        * sizeof(uint32_t);
    if (add) {
        _tile_loadd(0, c, c_bytes);
        _tile_loadd(1, c + 16, c_bytes);
        if (lower) {
            _tile_loadd(2, c + 16 * c_row, c_bytes);
            _tile_loadd(3, c + 16 * c_row + 16, c_bytes);
        }
    } else {
        _tile_zero(0);
        _tile_zero(1);
        if (lower) {
            _tile_zero(2);
            _tile_zero(3);
        }
    }
    for (size_t p = 0; p < pairs; p += 16, a += 16, b += 16 * PANEL) {
        _tile_loadd(4, a, a_bytes);
        _tile_loadd(6, b, b_bytes);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b + 16, b_bytes);
        _tile_dpbf16ps(1, 4, 7);
        if (lower) {
            _tile_loadd(5, a + 16 * a_row, a_bytes);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
    }
    _tile_stored(0, c, c_bytes);
    _tile_stored(1, c + 16, c_bytes);
    if (lower) {
        _tile_stored(2, c + 16 * c_row, c_bytes);
        _tile_stored(3, c + 16 * c_row + 16, c_bytes);
    }
}

// Rows of `left` up to a multiple of 16 exist, see apus_stored_rows.
TILES static void multiply_by_tiles(const apus_pair_block *s, const uint32_t *left, const uint32_t *right, float *c,
    float *scratch) {
    (void)scratch;
    _Alignas(64) float whole[32 * PANEL];
    tile_shapes shapes = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        shapes.row_bytes[i] = 64;
        shapes.rows[i] = 16;
    }
    _tile_loadconfig(&shapes);
    for (size_t i = 0; i < s->m; i += 32) {
        const size_t rows = at_most(s->m - i, 32);
        const uint32_t *a = left + i * s->left_row;
        for (size_t j = 0; j < s->n; j += PANEL) {
            const size_t columns = at_most(s->n - j, PANEL);
            const uint32_t *b = right + j / PANEL * s->panel;
            float *own = c + i * s->c_row + j;
            if (rows == 32 && columns == PANEL) {
                tiles(1, s->pairs, a, s->left_row, b, own, s->c_row, s->add);
                continue;
            }
            if (s->add) copy(rows, columns, own, s->c_row, whole, PANEL);
            if (rows > 16) tiles(1, s->pairs, a, s->left_row, b, whole, PANEL, s->add);
            else tiles(0, s->pairs, a, s->left_row, b, whole, PANEL, s->add);
            copy(rows, columns, whole, PANEL, own, s->c_row);
        }
    }
    _tile_release();
}

// Leaf 7, subleaf 0 (tiles) and subleaf 1 (VDPBF16PS) of CPUID.
static unsigned features(unsigned subleaf, int in_edx) {
    unsigned a, b, c, d;
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(subleaf));
    return in_edx ? d : a;
}

static int has_tiles(void) {
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 };
    return (features(0, 1) & (AMX_BF16 | AMX_TILE)) == (AMX_BF16 | AMX_TILE);
}

apus_pair_unit apus_dot_product_unit(int even_if_slow) {
    enum { AVX512_BF16 = 1 << 5 };
    if (!apus_processor_has_avx512() || !(features(1, 0) & AVX512_BF16)) return 0;
    // Where there are tiles, VDPBF16PS has half the speed of two fused multiply-adds.
    return even_if_slow || !has_tiles() ? multiply_by_dot_products : 0;
}

apus_pair_unit apus_tile_unit(void) {
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    // The system saves the tiles' contents only for processes that asked for it.
    if (!has_tiles() || syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) != 0) return 0;
    return multiply_by_tiles;
}
#else
apus_pair_unit apus_dot_product_unit(int even_if_slow) {
    (void)even_if_slow;
    return 0;
}
apus_pair_unit apus_tile_unit(void) { return 0; }
#endif
