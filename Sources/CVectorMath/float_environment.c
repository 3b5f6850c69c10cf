// How the calling thread rounds: to nearest, ties to even, subnormal numbers kept, no exception trapped.
#include "vector_math.h"

#if defined(__arm__)
#error "32-bit ARM flushes subnormal numbers in vectors, whatever the mode: it cannot have the bits of other processors"
#endif

#if defined(__x86_64__)
#include <immintrin.h>

// Rounding control, flush to zero, denormals are zero: all off. The six exceptions masked.
enum { ROUNDING_AND_FLUSHING = 0xe040, MASKS = 0x1f80 };

int apus_set_float_environment(void) {
    unsigned found = _mm_getcsr();
    if ((found & (ROUNDING_AND_FLUSHING | MASKS)) == MASKS) return 0;
    _mm_setcsr((found & ~(unsigned)ROUNDING_AND_FLUSHING) | MASKS);
    return 1;
}

void apus_flush_to_zero(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }
#elif defined(__aarch64__)
// FPCR: alternative half precision, default NaN, flush to zero, rounding mode, flush of half precision, trapped
// exceptions.
static const uint64_t everything = 0x7f89f00;

int apus_set_float_environment(void) {
    uint64_t found;
    __asm__ volatile("mrs %0, fpcr" : "=r"(found));
    if ((found & everything) == 0) return 0;
    __asm__ volatile("msr fpcr, %0" : : "r"(found & ~everything));
    return 1;
}

void apus_flush_to_zero(void) {
    uint64_t found;
    __asm__ volatile("mrs %0, fpcr" : "=r"(found));
    __asm__ volatile("msr fpcr, %0" : : "r"(found | (1u << 24)));
}
#else
int apus_set_float_environment(void) { return 0; }
void apus_flush_to_zero(void) {}
#endif
