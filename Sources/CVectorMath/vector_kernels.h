// The kernels' one source. Included once for each instruction set, with VARIANT(name) defined.
#include <string.h>
#include "vector_math.h"

#pragma STDC FP_CONTRACT OFF
// Vectors are passed between inlined functions only, so no calling convention is involved.
#pragma clang diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline))
enum { W = 16 };  // elements of a vector: one register of AVX-512, two of AVX2, four of NEON
typedef float vf __attribute__((ext_vector_type(16)));
typedef float vfu __attribute__((ext_vector_type(16), aligned(4), may_alias));
typedef int32_t vi __attribute__((ext_vector_type(16)));
typedef uint32_t vu __attribute__((ext_vector_type(16)));
typedef double vd __attribute__((ext_vector_type(16)));
typedef uint64_t vu64 __attribute__((ext_vector_type(8)));
typedef _Bool vb __attribute__((ext_vector_type(16)));

INLINE vf load(const float *p) { return *(const vfu *)p; }
INLINE void store(float *p, vf v) { *(vfu *)p = v; }
INLINE vf load_some(const float *p, size_t n) {
    vf v = 0;
    memcpy(&v, p, n * sizeof(float));
    return v;
}
INLINE void store_some(float *p, vf v, size_t n) { memcpy(p, &v, n * sizeof(float)); }
INLINE vf fma16(vf a, vf b, vf c) { return __builtin_elementwise_fma(a, b, c); }
INLINE vf choose(vi condition, vf a, vf b) { return condition ? a : b; }
INLINE vf larger(vf a, vf b) { return choose(a > b, a, b); }

// The sixteen lanes added in one fixed tree.
INLINE float total(vf v) {
    float __attribute__((ext_vector_type(8))) a = v.lo + v.hi;
    float __attribute__((ext_vector_type(4))) b = a.lo + a.hi;
    return (b.x + b.z) + (b.y + b.w);
}
INLINE double total_double(vd v) {
    double __attribute__((ext_vector_type(8))) a = v.lo + v.hi;
    double __attribute__((ext_vector_type(4))) b = a.lo + a.hi;
    return (b.x + b.z) + (b.y + b.w);
}
INLINE float largest(vf v) {
    float __attribute__((ext_vector_type(8))) a = __builtin_elementwise_max(v.lo, v.hi);
    float __attribute__((ext_vector_type(4))) b = __builtin_elementwise_max(a.lo, a.hi);
    float __attribute__((ext_vector_type(2))) c = __builtin_elementwise_max(b.lo, b.hi);
    return c.x > c.y ? c.x : c.y;
}

// Runs `full` on whole vectors and `some` on the rest: the same arithmetic either way.
#define FOR_VECTORS(n, full, some) \
    do { \
        size_t i = 0; \
        for (; i + W <= (n); i += W) { full; } \
        if (i < (n)) { size_t rest = (n) - i; some; } \
    } while (0)

// exp: x = k ln 2 + r, |r| <= ln 2 / 2; a polynomial of degree 6, relative error below 1.2e-7. Below -87.3 the result is 0.
INLINE vf exp16(vf x) {
    vi tiny = x < -87.33654f;
    vf c = choose(tiny, -87.0f, x);
    c = choose(c > 88.02f, 88.02f, c);
    vf k = fma16(c, 1.44269504f, 12582912.0f) - 12582912.0f;
    vf r = fma16(k, -0.693359375f, c);
    r = fma16(k, 2.12194440e-4f, r);
    vf p = fma16(0x1.6a0646p-10f, r, 0x1.123b1cp-7f);
    p = fma16(p, r, 0x1.55592cp-5f);
    p = fma16(p, r, 0x1.55549p-3f);
    p = fma16(p, r, 0x1.fffffcp-2f);
    p = fma16(p, r * r, r) + 1.0f;
    vi exponent = (__builtin_convertvector(k, vi) + 127) << 23;
    vf scale;
    memcpy(&scale, &exponent, sizeof scale);
    return choose(tiny, 0.0f, p * scale);
}

// tanh: an odd polynomial near 0, (1 - e) / (1 + e) with e = exp(-2 |x|) elsewhere.
INLINE vf tanh16(vf x) {
    vf a = __builtin_elementwise_abs(x), s = x * x;
    vf p = fma16(s, 0.0218694885f, -0.0539682540f);
    p = fma16(p, s, 0.133333333f);
    p = fma16(p, s, -0.333333333f);
    p = fma16(p * s, x, x);
    vf e = exp16(-2.0f * a);
    vf q = (1.0f - e) / (1.0f + e);
    return choose(a < 0.3f, p, __builtin_elementwise_copysign(q, x));
}

// Value and derivative of an activation function.
typedef struct { vf value, slope; } activation;

// x * cdf(x) with cdf(-|x|) = exp(-x^2/2) P(t) / 2, t = 1 / (1 + 0.35 |x| / sqrt 2): one exponential serves the
// function and its derivative cdf(x) + x pdf(x). P is a polynomial fitted to erfc(z) exp(z^2), relative error below 4e-7.
INLINE activation gelu16(vf x) {
    vf a = __builtin_elementwise_abs(x);
    vf e = exp16(-0.5f * x * x);
    vf t = 1.0f / fma16(a, 0.247487373f, 1.0f);
    vf p = fma16(t, 0.04462669417262077f, -0.2848717272281647f);
    p = fma16(p, t, 0.5770506858825684f);
    p = fma16(p, t, -0.4012121558189392f);
    p = fma16(p, t, 0.3999963402748108f);
    p = fma16(p, t, 0.06623071432113647f);
    p = fma16(p, t, 0.2055024802684784f);
    p = fma16(p, t, 0.19509132206439972f);
    p = fma16(p, t, 0.1975855827331543f);
    vf tail = 0.5f * e * (p * t);
    vf cdf = choose(x < 0.0f, tail, 1.0f - tail);
    activation r;
    r.value = x * cdf;
    r.slope = fma16(x * 0.398942280f, e, cdf);
    return r;
}

INLINE activation gelu_tanh16(vf x) {
    vf s = x * x;
    vf inner = 0.797884561f * fma16(0.044715f * s, x, x);
    vf t = tanh16(inner);
    vf half = 0.5f * (1.0f + t);
    vf inner_slope = 0.797884561f * fma16(0.134145f, s, 1.0f);
    activation r;
    r.value = x * half;
    r.slope = fma16(0.5f * x * fma16(-t, t, 1.0f), inner_slope, half);
    return r;
}

INLINE activation relu16(vf x) {
    activation r;
    r.value = choose(x > 0.0f, x, choose(x != x, x, 0.0f));
    r.slope = choose(x > 0.0f, 1.0f, 0.0f);
    return r;
}

INLINE activation activate(int kind, vf x) {
    return kind == APUS_GELU ? gelu16(x) : kind == APUS_GELU_TANH ? gelu_tanh16(x) : relu16(x);
}

void VARIANT(exp)(size_t n, const float *x, float *y) {
    FOR_VECTORS(n, store(y + i, exp16(load(x + i))), store_some(y + i, exp16(load_some(x + i, rest)), rest));
}

void VARIANT(tanh)(size_t n, const float *x, float *y) {
    FOR_VECTORS(n, store(y + i, tanh16(load(x + i))), store_some(y + i, tanh16(load_some(x + i, rest)), rest));
}

void VARIANT(bias_tanh)(size_t rows, size_t n, const float *bias, float *x) {
    for (size_t r = 0; r < rows; r++, x += n)
        FOR_VECTORS(n, store(x + i, tanh16(load(x + i) + load(bias + i))),
                    store_some(x + i, tanh16(load_some(x + i, rest) + load_some(bias + i, rest)), rest));
}

void VARIANT(tanh_backward)(size_t n, const float *y, float *dy) {
#define SLOPE(d, t) ((d) * fma16(-(t), (t), 1.0f))
    FOR_VECTORS(n, store(dy + i, SLOPE(load(dy + i), load(y + i))),
                store_some(dy + i, SLOPE(load_some(dy + i, rest), load_some(y + i, rest)), rest));
#undef SLOPE
}

INLINE void bias_activation_rows(int kind, size_t rows, size_t n, const float *bias, float *x, float *y) {
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        size_t i = 0;
        for (; i + W <= n; i += W) {
            activation a = activate(kind, load(x + i) + load(bias + i));
            store(y + i, a.value);
            store(x + i, a.slope);
        }
        if (i < n) {
            activation a = activate(kind, load_some(x + i, n - i) + load_some(bias + i, n - i));
            store_some(y + i, a.value, n - i);
            store_some(x + i, a.slope, n - i);
        }
    }
}

// y = f(x + bias); x = f'(x + bias), which is all that the backward pass needs.
void VARIANT(bias_activation)(int kind, size_t rows, size_t n, const float *bias, float *x, float *y) {
    if (kind == APUS_GELU) bias_activation_rows(APUS_GELU, rows, n, bias, x, y);
    else if (kind == APUS_GELU_TANH) bias_activation_rows(APUS_GELU_TANH, rows, n, bias, x, y);
    else bias_activation_rows(APUS_RELU, rows, n, bias, x, y);
}

void VARIANT(bias_activation_only)(int kind, size_t rows, size_t n, const float *bias, float *x) {
    for (size_t r = 0; r < rows; r++, x += n)
        FOR_VECTORS(n, store(x + i, activate(kind, load(x + i) + load(bias + i)).value),
                    store_some(x + i, activate(kind, load_some(x + i, rest) + load_some(bias + i, rest)).value, rest));
}

// Rows that are added to column sums together, so that the sums are read and written once for all of them. Each column
// still adds its rows in order.
enum { SUM_ROWS = 4 };

INLINE void activation_backward_rows(int rows, size_t n, const float *derivative, float *dy, float *sums) {
    size_t i = 0;
    for (; i + W <= n; i += W) {
        vf sum = load(sums + i);
        for (int r = 0; r < rows; r++) {
            vf d = load(dy + r * n + i) * load(derivative + r * n + i);
            store(dy + r * n + i, d);
            sum += d;
        }
        store(sums + i, sum);
    }
    for (; i < n; i++)
        for (int r = 0; r < rows; r++) sums[i] += dy[r * n + i] = dy[r * n + i] * derivative[r * n + i];
}

// dy = dy * derivative; sums = column sums of the result.
void VARIANT(activation_backward)(size_t rows, size_t n, const float *derivative, float *dy, float *sums) {
    memset(sums, 0, n * sizeof(float));
    for (; rows >= SUM_ROWS; rows -= SUM_ROWS, dy += SUM_ROWS * n, derivative += SUM_ROWS * n)
        activation_backward_rows(SUM_ROWS, n, derivative, dy, sums);
    for (; rows > 0; rows--, dy += n, derivative += n) activation_backward_rows(1, n, derivative, dy, sums);
}

INLINE void column_sums_rows(int rows, size_t n, size_t ld, const float *x, float *sums) {
    size_t i = 0;
    for (; i + W <= n; i += W) {
        vf sum = load(sums + i);
        for (int r = 0; r < rows; r++) sum += load(x + r * ld + i);
        store(sums + i, sum);
    }
    for (; i < n; i++)
        for (int r = 0; r < rows; r++) sums[i] += x[r * ld + i];
}

void VARIANT(column_sums)(size_t rows, size_t n, size_t ld, const float *x, float *sums) {
    memset(sums, 0, n * sizeof(float));
    for (; rows >= SUM_ROWS; rows -= SUM_ROWS, x += SUM_ROWS * ld) column_sums_rows(SUM_ROWS, n, ld, x, sums);
    for (; rows > 0; rows--, x += ld) column_sums_rows(1, n, ld, x, sums);
}

void VARIANT(add_bias)(size_t rows, size_t n, size_t ld, const float *bias, float *x) {
    for (size_t r = 0; r < rows; r++, x += ld) {
        size_t i = 0;
        for (; i + W <= n; i += W) store(x + i, load(x + i) + load(bias + i));
        for (; i < n; i++) x[i] += bias[i];
    }
}

// The upper and lower halves of 32 x 32 bit products; even and odd lanes apart, as the processor multiplies them.
INLINE void multiply_wide(vu x, uint32_t factor, vu *high, vu *low) {
    const vu64 mask = 0xffffffffu;
    vu64 v, h, l;
    memcpy(&v, &x, sizeof v);
    vu64 even = (v & mask) * (uint64_t)factor, odd = (v >> 32) * (uint64_t)factor;
    h = (even >> 32) | (odd & ~mask);
    l = (even & mask) | (odd << 32);
    memcpy(high, &h, sizeof h);
    memcpy(low, &l, sizeof l);
}

INLINE uint16_t mask_of(vi condition) {
    vb b = __builtin_convertvector(condition, vb);
    uint16_t m;
    memcpy(&m, &b, sizeof m);
    return m;
}

INLINE vi lanes_of(uint16_t mask) {
    const vi bit = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
    return ((vi)(int32_t)mask & bit) != 0;
}

// One keep bit an element, sixteen elements a word. Philox4x32-10 (Salmon et al. 2011) with the block's number in the
// first counter word; each of a block's four 32-bit outputs serves two elements, sixteen bits each. A bit is set,
// and the element kept, when its sixteen bits are not below `threshold`. Words first ..< first + words are written.
void VARIANT(dropout_bits)(size_t first, size_t words, uint64_t key, const uint32_t counter[3], uint32_t threshold, uint16_t *bits) {
    const vu step = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const size_t end = first + words;
    for (size_t w = first / 8 * 8; w < end; w += 8) {
        vu c0 = step + (uint32_t)(w * 2), c1 = counter[0], c2 = counter[1], c3 = counter[2];
        uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
        for (int round = 0; round < 10; round++) {
            vu h0, l0, h1, l1;
            multiply_wide(c0, 0xD2511F53u, &h0, &l0);
            multiply_wide(c2, 0xCD9E8D57u, &h1, &l1);
            c0 = h1 ^ c1 ^ k0;
            c1 = l1;
            c2 = h0 ^ c3 ^ k1;
            c3 = l0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        uint16_t out[8];
        vu word[4] = {c0, c1, c2, c3};
        for (int j = 0; j < 4; j++) {
            out[2 * j] = mask_of((word[j] & 0xffffu) >= threshold);
            out[2 * j + 1] = mask_of((word[j] >> 16) >= threshold);
        }
        size_t from = w < first ? first : w, to = w + 8 < end ? w + 8 : end;
        memcpy(bits + (from - first), out + (from - w), (to - from) * sizeof(uint16_t));
    }
}

// y = x * scale where the bit is set, else 0. Each row has ceil(n / 16) words.
void VARIANT(dropout)(size_t rows, size_t n, size_t ld, const uint16_t *bits, float scale, const float *x, float *y) {
    size_t words = (n + W - 1) / W;
    for (size_t r = 0; r < rows; r++, x += ld, y += ld, bits += words)
        FOR_VECTORS(n, store(y + i, choose(lanes_of(bits[i / W]), load(x + i) * scale, 0.0f)),
                    store_some(y + i, choose(lanes_of(bits[i / W]), load_some(x + i, rest) * scale, 0.0f), rest));
}

// The backward pass of dropout after a bias: y = dropout(x), sums = column sums of y. Without bits y = x is not written.
void VARIANT(dropout_and_sums)(size_t rows, size_t n, const uint16_t *bits, float scale, const float *x, float *y, float *sums) {
    if (!bits) {
        VARIANT(column_sums)(rows, n, n, x, sums);
        return;
    }
    memset(sums, 0, n * sizeof(float));
    size_t words = (n + W - 1) / W;
    for (size_t r = 0; r < rows; r++, x += n, y += n, bits += words) {
        size_t i = 0;
        for (; i + W <= n; i += W) {
            vf v = choose(lanes_of(bits[i / W]), load(x + i) * scale, 0.0f);
            store(y + i, v);
            store(sums + i, load(sums + i) + v);
        }
        if (i < n) {
            vf v = choose(lanes_of(bits[i / W]), load_some(x + i, n - i) * scale, 0.0f);
            store_some(y + i, v, n - i);
            store_some(sums + i, load_some(sums + i, n - i) + v, n - i);
        }
    }
}

// z = dropout(x + bias) + residual; x = (z - mean) / deviation; y = x * gain + shift.
// bias, bits, residual and residual_rows may be null; residual row of row r is residual_rows[r] where given.
void VARIANT(layer_norm)(size_t rows, size_t n, const float *bias, const uint16_t *bits, float scale, const float *residual,
                         const int32_t *residual_rows, const float *gain, const float *shift, float epsilon, float *x, float *y,
                         float *inverse_deviation) {
    size_t words = (n + W - 1) / W, whole = n / W * W, rest = n - whole;
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        const float *add = residual ? residual + (residual_rows ? (size_t)residual_rows[r] : r) * n : 0;
        vf sum = 0;
        for (size_t i = 0; i < n; i += W) {
            size_t m = i < whole ? W : rest;
            int full = m == W;
            vf z = full ? load(x + i) : load_some(x + i, m);
            if (bias) z += full ? load(bias + i) : load_some(bias + i, m);
            if (bits) z = choose(lanes_of(bits[r * words + i / W]), z * scale, 0.0f);
            if (add) z += full ? load(add + i) : load_some(add + i, m);
            if (full) store(x + i, z);
            else store_some(x + i, z, m);
            sum += z;
        }
        float mean = total(sum) / (float)n;
        vf squares = 0;
        size_t i = 0;
        for (; i < whole; i += W) {
            vf d = load(x + i) - mean;
            squares = fma16(d, d, squares);
        }
        if (rest) {
            vf d = 0;
            for (size_t j = 0; j < rest; j++) d[j] = x[i + j] - mean;
            squares = fma16(d, d, squares);
        }
        float inverse = 1.0f / __builtin_sqrtf(total(squares) / (float)n + epsilon);
        inverse_deviation[r] = inverse;
        for (i = 0; i < whole; i += W) {
            vf h = (load(x + i) - mean) * inverse;
            store(x + i, h);
            store(y + i, fma16(h, load(gain + i), load(shift + i)));
        }
        if (rest) {
            vf h = (load_some(x + i, rest) - mean) * inverse;
            store_some(x + i, h, rest);
            store_some(y + i, fma16(h, load_some(gain + i, rest), load_some(shift + i, rest)), rest);
        }
    }
}

// In: dy. Out: dy = dz, the gradient before the normalization; dgain and dshift are column sums.
void VARIANT(layer_norm_backward)(size_t rows, size_t n, const float *normalized, const float *inverse_deviation,
                                  const float *gain, float *dy, float *dgain, float *dshift) {
    memset(dgain, 0, n * sizeof(float));
    memset(dshift, 0, n * sizeof(float));
    size_t whole = n / W * W, rest = n - whole;
    for (size_t r = 0; r < rows; r++, dy += n, normalized += n) {
        vf sum = 0, dot = 0;
        size_t i = 0;
        for (; i < whole; i += W) {
            vf d = load(dy + i), h = load(normalized + i);
            store(dshift + i, load(dshift + i) + d);
            store(dgain + i, fma16(d, h, load(dgain + i)));
            vf g = d * load(gain + i);
            sum += g;
            dot = fma16(g, h, dot);
        }
        if (rest) {
            vf d = load_some(dy + i, rest), h = load_some(normalized + i, rest);
            store_some(dshift + i, load_some(dshift + i, rest) + d, rest);
            store_some(dgain + i, fma16(d, h, load_some(dgain + i, rest)), rest);
            vf g = d * load_some(gain + i, rest);
            sum += g;
            dot = fma16(g, h, dot);
        }
        float mean = total(sum) / (float)n, slope = total(dot) / (float)n, inverse = inverse_deviation[r];
        for (i = 0; i < whole; i += W) {
            vf g = fma16(load(dy + i), load(gain + i), -mean);
            store(dy + i, inverse * fma16(load(normalized + i), -slope, g));
        }
        if (rest) {
            vf g = fma16(load_some(dy + i, rest), load_some(gain + i, rest), -mean);
            store_some(dy + i, inverse * fma16(load_some(normalized + i, rest), -slope, g), rest);
        }
    }
}

// Whether each element of the vector that begins at column i is one of n.
INLINE vi within(size_t n, size_t i) {
    const vi lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return lane < (int32_t)(n - i);
}

// The last vector of a row of n scores, with `other` beyond them; i is its first column.
INLINE vf load_last(const float *x, size_t n, size_t i, float other) { return choose(within(n, i), load(x + i), other); }

// Softmax of one row, up to the factor that is returned: 1 / the sum of its elements.
INLINE float softmax_row(size_t n, size_t ld, float scale, float *x) {
    const size_t last = ld - W;
    vf most = load_last(x, n, last, -__builtin_inff());
    for (size_t i = 0; i < last; i += W) most = larger(load(x + i), most);
    float m = largest(most) * scale;
    vf sum = 0;
    for (size_t i = 0; i < last; i += W) {
        vf e = exp16(fma16(load(x + i), scale, -m));
        store(x + i, e);
        sum += e;
    }
    vf e = exp16(fma16(load_last(x, n, last, -__builtin_inff()), scale, -m));
    store(x + last, e);
    return 1.0f / total(sum + e);
}

// Rows of n scores at distance ld, a multiple of 16; columns n..<ld of the result are 0.
void VARIANT(softmax)(size_t rows, size_t n, size_t ld, float scale, float *x) {
    for (size_t r = 0; r < rows; r++, x += ld) {
        float inverse = softmax_row(n, ld, scale, x);
        for (size_t i = 0; i < ld; i += W) store(x + i, load(x + i) * inverse);
    }
}

// In: dp. Out: dp = scale * p * (dp - sum of p * dp). Rows as for softmax; columns n..<ld of p are 0 and dp's are ignored.
void VARIANT(softmax_backward)(size_t rows, size_t n, size_t ld, float scale, const float *p, float *dp) {
    const size_t last = ld - W;
    for (size_t r = 0; r < rows; r++, p += ld, dp += ld) {
        vf sum = 0;
        for (size_t i = 0; i < last; i += W) sum = fma16(load(p + i), load(dp + i), sum);
        sum = fma16(load(p + last), load_last(dp, n, last, 0.0f), sum);
        float dot = total(sum);
        for (size_t i = 0; i < last; i += W) store(dp + i, load(p + i) * (scale * (load(dp + i) - dot)));
        store(dp + last, load(p + last) * (scale * (load_last(dp, n, last, 0.0f) - dot)));
    }
}

// -log softmax(logits)[label]; where dlogits is given, its gradient times `scale` (in place allowed).
double VARIANT(cross_entropy)(size_t n, const float *logits, size_t label, float scale, float *dlogits) {
    float most = logits[0];
    for (size_t i = 1; i < n; i++) most = logits[i] > most ? logits[i] : most;
    vf sum = 0;
    size_t i = 0;
    for (; i + W <= n; i += W) sum += exp16(load(logits + i) - most);
    if (i < n) {
        vf e = exp16(load_some(logits + i, n - i) - most);
        for (size_t j = n - i; j < W; j++) e[j] = 0;
        sum += e;
    }
    float all = total(sum);
    double loss = apus_log((double)all) - ((double)logits[label] - (double)most);
    if (dlogits) {
        float factor = scale / all;
        FOR_VECTORS(n, store(dlogits + i, exp16(load(logits + i) - most) * factor),
                    store_some(dlogits + i, exp16(load_some(logits + i, rest) - most) * factor, rest));
        dlogits[label] -= scale;
    }
    return loss;
}

// Sum over one row's outputs of the binary cross-entropy against targets of 0 or 1, from logits:
// max(z, 0) - z y + log(1 + exp(-|z|)). The gradient is sigmoid(z) - y.
double VARIANT(binary_cross_entropy)(size_t n, const float *logits, const float *targets, float scale, float *dlogits) {
    double loss = 0;
    for (size_t i = 0; i < n; i += W) {
        size_t rest = n - i < W ? n - i : W;
        vf z = load_some(logits + i, rest), y = load_some(targets + i, rest);
        vf e = exp16(-__builtin_elementwise_abs(z));
        for (size_t j = 0; j < rest; j++) {
            double above = z[j] > 0 ? (double)z[j] : 0;
            loss += z[j] == z[j] ? above - (double)z[j] * (double)y[j] + apus_log(1 + (double)e[j]) : (double)z[j];
        }
        if (dlogits) {
            vf p = choose(z < 0.0f, e, 1.0f) / (1.0f + e);
            store_some(dlogits + i, choose(z == z, (p - y) * scale, z), rest);
        }
    }
    return loss;
}

void VARIANT(add)(size_t n, const float *x, float *y) {
    size_t i = 0;
    for (; i + W <= n; i += W) store(y + i, load(y + i) + load(x + i));
    for (; i < n; i++) y[i] += x[i];
}

// Row g of y is the sum of rows order[starts[g] ..< starts[g + 1]] of x, in that order.
void VARIANT(sum_rows_by_group)(size_t groups, size_t n, const int32_t *starts, const int32_t *order, const float *x, float *y) {
    for (size_t g = 0; g < groups; g++, y += n) {
        int32_t j = starts[g];
        if (j == starts[g + 1]) {
            memset(y, 0, n * sizeof(float));
            continue;
        }
        memcpy(y, x + (size_t)order[j] * n, n * sizeof(float));
        for (j++; j < starts[g + 1]; j++) VARIANT(add)(n, x + (size_t)order[j] * n, y);
    }
}

void VARIANT(embed)(size_t rows, size_t n, const int32_t *ids, const int32_t *positions, const uint8_t *types,
                    const float *words_table, const float *position_table, const float *type_table, float *y) {
    for (size_t r = 0; r < rows; r++, y += n) {
        const float *w = words_table + (size_t)ids[r] * n, *p = position_table + (size_t)positions[r] * n;
        const float *t = type_table + (size_t)types[r] * n;
        size_t i = 0;
        for (; i + W <= n; i += W) store(y + i, (load(w + i) + load(t + i)) + load(p + i));
        for (; i < n; i++) y[i] = (w[i] + t[i]) + p[i];
    }
}

double VARIANT(sum_of_squares)(size_t n, const float *x) {
    vd sum = 0;
    FOR_VECTORS(n,
                { vd v = __builtin_convertvector(load(x + i), vd); sum = __builtin_elementwise_fma(v, v, sum); },
                { vd v = __builtin_convertvector(load_some(x + i, rest), vd); sum = __builtin_elementwise_fma(v, v, sum); });
    return total_double(sum);
}

// The sum of squares of each block of `block` elements, a multiple of 16; the last may be short. Four blocks at a time, for
// memory answers four streams faster than one.
void VARIANT(block_squares)(size_t n, size_t block, const float *x, double *sums) {
    for (; n >= 4 * block; n -= 4 * block, x += 4 * block, sums += 4) {
        vd sum[4] = {0, 0, 0, 0};
        for (size_t i = 0; i < block; i += W)
            for (int j = 0; j < 4; j++) {
                vd v = __builtin_convertvector(load(x + j * block + i), vd);
                sum[j] = __builtin_elementwise_fma(v, v, sum[j]);
            }
        for (int j = 0; j < 4; j++) sums[j] = total_double(sum[j]);
    }
    for (size_t i = 0; i < n; i += block) sums[i / block] = VARIANT(sum_of_squares)(n - i < block ? n - i : block, x + i);
}

int VARIANT(all_finite)(size_t n, const float *x) {
    vi bad = 0;
    FOR_VECTORS(n,
                { vf v = load(x + i) * 0.0f; bad |= v != 0.0f; },
                { vf v = load_some(x + i, rest) * 0.0f; bad |= v != 0.0f; });
    return mask_of(bad != 0) == 0;
}

// Kingma and Ba 2015 as torch.optim.Adam computes it; decoupled decay as in AdamW.
INLINE void adam_vector(const apus_adam_constants *c, vf g, vf *p, vf *m, vf *v) {
    vf w = *p * c->decay_factor;
    g = fma16(w, c->l2, g);
    *m = fma16(g - *m, c->one_minus_beta1, *m);
    *v = fma16(g * c->one_minus_beta2, g, *v * c->beta2);
    vf denominator = fma16(__builtin_elementwise_sqrt(*v), c->inverse_root_correction, c->epsilon);
    *p = fma16(*m / denominator, -c->step_size, w);
}

// An odd number for each position. A bit that changes anywhere changes the sum of bits times weights.
INLINE vu weights16(uint32_t first) {
    vu w = first + (vu){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    w *= 0x9E3779B1u;
    return (w ^ (w >> 15)) | 1u;
}
INLINE vu weights_of_kind(vu w, int kind) {
    return kind == APUS_FIRST_MOMENTS ? ((w << 16) | (w >> 16) | 1u) : kind == APUS_SECOND_MOMENTS ? ((w ^ 0x5bd1e995u) | 1u) : w;
}

// Adds the products of bits and weights, 32 by 32 to 64 bits, modulo 2^64: in any order the same.
INLINE void add_products(vf x, vu w, vu64 *sum) {
    vu64 a, b;
    memcpy(&a, &x, sizeof a);
    memcpy(&b, &w, sizeof b);
    *sum += (a & 0xffffffffu) * (b & 0xffffffffu) + (a >> 32) * (b >> 32);
}
INLINE uint64_t total_u64(vu64 v) {
    uint64_t t[8], sum = 0;
    memcpy(t, &v, sizeof t);
    for (int i = 0; i < 8; i++) sum += t[i];
    return sum;
}

uint64_t VARIANT(position_sum)(size_t n, uint32_t first, int kind, const float *x) {
    vu64 sum = 0;
    FOR_VECTORS(n,
                { add_products(load(x + i), weights_of_kind(weights16(first + (uint32_t)i), kind), &sum); },
                { add_products(load_some(x + i, rest), weights_of_kind(weights16(first + (uint32_t)i), kind), &sum); });
    return total_u64(sum);
}

// Position sums of what an update wrote, while it is in registers.
INLINE void add_written(vf p, vf m, vf v, uint32_t p_place, uint32_t s_place, vu64 *parameters, vu64 *moments) {
    vu w = weights16(s_place);
    add_products(p, weights16(p_place), parameters);
    add_products(m, weights_of_kind(w, APUS_FIRST_MOMENTS), moments);
    add_products(v, weights_of_kind(w, APUS_SECOND_MOMENTS), moments);
}

INLINE void adam_range(
    size_t n, const apus_adam_constants *c, const float *g, float *p, float *m, float *v, uint32_t p_first, uint32_t s_first, uint64_t *p_sum,
    uint64_t *s_sum) {
    size_t i = 0;
    vu64 parameters = 0, moments = 0;
    for (; i + W <= n; i += W) {
        vf a = load(p + i), b = load(m + i), d = load(v + i);
        adam_vector(c, g ? load(g + i) * c->gradient_scale : (vf)0.0f, &a, &b, &d);
        store(p + i, a);
        store(m + i, b);
        store(v + i, d);
        if (p_sum) add_written(a, b, d, p_first + (uint32_t)i, s_first + (uint32_t)i, &parameters, &moments);
    }
    if (i < n) {
        size_t rest = n - i;
        vf a = load_some(p + i, rest), b = load_some(m + i, rest), d = load_some(v + i, rest);
        adam_vector(c, g ? load_some(g + i, rest) * c->gradient_scale : (vf)0.0f, &a, &b, &d);
        store_some(p + i, a, rest);
        store_some(m + i, b, rest);
        store_some(v + i, d, rest);
        if (p_sum) {
            // What lies beyond the range counts for nothing.
            vf x = 0, y = 0, z = 0;
            memcpy(&x, &a, rest * sizeof(float));
            memcpy(&y, &b, rest * sizeof(float));
            memcpy(&z, &d, rest * sizeof(float));
            add_written(x, y, z, p_first + (uint32_t)i, s_first + (uint32_t)i, &parameters, &moments);
        }
    }
    if (p_sum) {
        *p_sum = total_u64(parameters);
        *s_sum = total_u64(moments);
    }
}

void VARIANT(adam)(size_t n, const apus_adam_constants *c, const float *g, float *p, float *m, float *v) {
    adam_range(n, c, g, p, m, v, 0, 0, 0, 0);
}

void VARIANT(adam_without_gradient)(size_t n, const apus_adam_constants *c, float *p, float *m, float *v) {
    adam_range(n, c, 0, p, m, v, 0, 0, 0, 0);
}

// Two sums a row: of the parameters, and of both moments together.
void VARIANT(adam_summed)(
    size_t rows, size_t n, const apus_adam_constants *c, const float *g, float *p, float *m, float *v, uint32_t p_first, uint32_t s_first,
    uint64_t *sums) {
    for (size_t r = 0; r < rows; r++) {
        size_t at = r * n;
        adam_range(
            n, c, g ? g + at : 0, p + at, m + at, v + at, p_first + (uint32_t)at, s_first + (uint32_t)at, &sums[2 * r], &sums[2 * r + 1]);
    }
}
