// A fused multiply-add for processors without one: a part of the kernels' one source.
//
// The product of two floats is exact in double precision. Its sum with a third is rounded to double, then to single
// precision; rounding twice goes wrong only where the first result lies halfway between two floats or is too small for
// a normal float. There the first rounding is to odd (Boldo and Melquiond 2008): the bits that it lost stay visible.

typedef float part __attribute__((ext_vector_type(4)));
typedef double part_double __attribute__((ext_vector_type(4)));
typedef int64_t part_words __attribute__((ext_vector_type(4)));

// x + y, rounded to odd: if the sum is not exact, its last bit is set.
INLINE part_double add_to_odd(part_double x, part_double y) {
    const part_double sum = x + y, from_y = sum - x, error = (x - (sum - from_y)) + (y - from_y);
    part_words bits;
    memcpy(&bits, &sum, sizeof bits);
    // Towards zero where the error has the other sign, else away from it, unless the last bit is set already. An error
    // of NaN comes of a sum that is infinite or NaN.
    const part_words inexact = (error > 0) | (error < 0), even = (bits & 1) - 1;
    const part_words step = ((error > 0) ^ (sum < 0)) ? (part_words)1 : (part_words)-1;
    bits += step & inexact & even;
    part_double odd;
    memcpy(&odd, &bits, sizeof odd);
    return odd;
}

static __attribute__((noinline)) vf software_fma(vf a, vf b, vf c) {
    vf result;
    UNROLL for (int i = 0; i < 4; i++) {
        part x, y, z;
        memcpy(&x, (const char *)&a + i * sizeof x, sizeof x);
        memcpy(&y, (const char *)&b + i * sizeof y, sizeof y);
        memcpy(&z, (const char *)&c + i * sizeof z, sizeof z);
        const part_double product = __builtin_convertvector(x, part_double) * __builtin_convertvector(y, part_double);
        const part_double term = __builtin_convertvector(z, part_double), sum = product + term;
        part rounded = __builtin_convertvector(sum, part);
        part_words bits;
        memcpy(&bits, &sum, sizeof bits);
        const int32_t __attribute__((ext_vector_type(4))) low = __builtin_convertvector(bits, int32_t
            __attribute__((ext_vector_type(4))));
        if (__builtin_reduce_or(((low & 0x1fffffff) == 0x10000000) | (__builtin_elementwise_abs(rounded) <= 0x1p-126f)))
            rounded = __builtin_convertvector(add_to_odd(product, term), part);
        memcpy((char *)&result + i * sizeof rounded, &rounded, sizeof rounded);
    }
    return result;
}
INLINE vf fma16(vf a, vf b, vf c) { return software_fma(a, b, c); }
