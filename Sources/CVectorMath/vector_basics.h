// Vectors of sixteen floats, exp and tanh: the basis of the other parts of the kernels' one source.
#include <string.h>
#include "vector_math.h"
#include "lane_tree.h"

#pragma STDC FP_CONTRACT OFF
// Vectors are passed between inlined functions only, so no calling convention is involved.
#pragma clang diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
enum { W = 16 };  // elements of a vector: one register of AVX-512, two of AVX2, four of NEON
typedef float vf __attribute__((ext_vector_type(16)));
typedef float vfu __attribute__((ext_vector_type(16), aligned(4), may_alias));
typedef int32_t vi __attribute__((ext_vector_type(16)));
typedef uint32_t vu __attribute__((ext_vector_type(16)));
typedef double vd __attribute__((ext_vector_type(16)));
typedef uint64_t vu64 __attribute__((ext_vector_type(8)));
typedef _Bool vb __attribute__((ext_vector_type(16)));
// Halves of vectors; clang 17 takes the attribute in no other declaration.
typedef float vf8 __attribute__((ext_vector_type(8)));
typedef float vf4 __attribute__((ext_vector_type(4)));
typedef float vf2 __attribute__((ext_vector_type(2)));
typedef double vd8 __attribute__((ext_vector_type(8)));
typedef double vd4 __attribute__((ext_vector_type(4)));

INLINE vf load(const float *p) { return *(const vfu *)p; }
INLINE void store(float *p, vf v) { *(vfu *)p = v; }
INLINE vf load_some(const float *p, size_t n) {
    vf v = 0;
    memcpy(&v, p, n * sizeof(float));
    return v;
}
INLINE void store_some(float *p, vf v, size_t n) { memcpy(p, &v, n * sizeof(float)); }
INLINE vf choose(vi condition, vf a, vf b) { return condition ? a : b; }
INLINE vf larger(vf a, vf b) { return choose(a > b, a, b); }

#ifdef SOFTWARE_FMA
#include "software_fma.h"
#else
INLINE vf fma16(vf a, vf b, vf c) { return __builtin_elementwise_fma(a, b, c); }
#endif
// The square of what was a float is exact in double precision: with or without a fused multiply-add the same.
INLINE vd add_squares(vf x, vd sum) {
    const vd v = __builtin_convertvector(x, vd);
#ifdef SOFTWARE_FMA
    return v * v + sum;
#else
    return __builtin_elementwise_fma(v, v, sum);
#endif
}

// The sixteen lanes added in one fixed tree.
INLINE float total(vf v) {
    vf8 a = v.lo + v.hi;
    vf4 b = a.lo + a.hi;
    return (b.x + b.z) + (b.y + b.w);
}
INLINE double total_double(vd v) {
    vd8 a = v.lo + v.hi;
    vd4 b = a.lo + a.hi;
    return (b.x + b.z) + (b.y + b.w);
}
INLINE float largest(vf v) {
    vf8 a = __builtin_elementwise_max(v.lo, v.hi);
    vf4 b = __builtin_elementwise_max(a.lo, a.hi);
    vf2 c = __builtin_elementwise_max(b.lo, b.hi);
    return c.x > c.y ? c.x : c.y;
}

// Runs `full` on whole vectors and `some` on the rest: the same arithmetic either way.
#define FOR_VECTORS(n, full, some) \
    do { \
        size_t i = 0; \
        for (; i + W <= (n); i += W) { full; } \
        if (i < (n)) { size_t rest = (n) - i; some; } \
    } while (0)

// exp: x = k ln 2 + r, |r| <= ln 2 / 2; a polynomial of degree 6, relative error below 1.2e-7. Below -87.3 the result
// is 0.
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
