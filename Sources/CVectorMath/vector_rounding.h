// Rounding to bf16, and chains of products of rounded factors: a part of the kernels' one source.

typedef uint32_t word_vector __attribute__((ext_vector_type(16)));
typedef uint32_t unaligned_words __attribute__((ext_vector_type(16), aligned(4), may_alias));

INLINE word_vector load_words(const uint32_t *p) { return *(const unaligned_words *)p; }
INLINE void store_words(uint32_t *p, word_vector v) { *(unaligned_words *)p = v; }
INLINE word_vector words_of(vf x) {
    word_vector bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
INLINE vf floats_of(word_vector bits) {
    vf x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// To the nearest bf16, ties to even, in the upper half of each element; subnormal numbers become zero of their sign,
// and a NaN stays one.
INLINE word_vector round_to_bf16(vf x) {
    const word_vector bits = words_of(x), size = bits & 0x7fffffffu;
    const word_vector rounded = bits + (0x7fffu + ((bits >> 16) & 1u));
    const word_vector number = (size < 0x00800000u) ? (bits & 0x80000000u) : rounded;
    return ((size > 0x7f800000u) ? (bits | 0x00400000u) : number) & 0xffff0000u;
}

// Results that are too small for a normal number become zero of their sign, as in the processors' bf16 instructions:
// x86-64 has a mode for that, which is set while chains are computed. Elsewhere each result is looked at. What rounds
// up to the smallest normal number, 2^-126, counts as too small if it would round to less with more exponents. An old
// value that is subnormal counts as zero, too. ARM's mode, FPCR.FZ, looks at results before they are rounded, and so do
// emulators of x86-64 (QEMU 7.2): neither serves.
#if defined(__x86_64__) && !defined(SOFTWARE_FMA)
INLINE vf chain(vf a, vf b, vf c) { return fma16(a, b, c); }
INLINE vf join(vf a, vf b) { return a + b; }
INLINE vf started_from(vf old) { return old; }
INLINE unsigned begin_chains(void) {
    const unsigned mode = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(mode | 0x8040);
    return mode;
}
INLINE void end_chains(unsigned mode) { __builtin_ia32_ldmxcsr(mode); }
#else
INLINE vf without_tiny(vf x) {
    return choose(__builtin_elementwise_abs(x) < 0x1p-126f, __builtin_elementwise_copysign((vf)0.0f, x), x);
}
// The result r of a fused multiply-add in which an element may be too small.
static __attribute__((noinline)) vf with_small_results(vf a, vf b, vf c, vf r) {
    const vf scaled = fma16(a * 0x1p64f, b, c * 0x1p64f);
    const vi edge = (__builtin_elementwise_abs(r) == 0x1p-126f) & (__builtin_elementwise_abs(scaled) < 0x1p-62f);
    return without_tiny(choose(edge, __builtin_elementwise_copysign((vf)0.0f, r), r));
}
INLINE vf chain(vf a, vf b, vf c) {
    const vf r = fma16(a, b, c);
    const int some_small = __builtin_reduce_or(__builtin_elementwise_abs(r) <= 0x1p-126f);
    return __builtin_expect(some_small, 0) ? with_small_results(a, b, c, r) : r;
}
INLINE vf join(vf a, vf b) { return without_tiny(a + b); }
INLINE vf started_from(vf old) { return without_tiny(old); }
INLINE unsigned begin_chains(void) { return 0; }
INLINE void end_chains(unsigned mode) { (void)mode; }
#endif
