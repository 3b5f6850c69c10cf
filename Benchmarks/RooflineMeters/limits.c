// What one core can do at all, measured by the plainest loops.
#include <stdlib.h>
#include <time.h>

#include "meters.h"
#include "vector_math.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

typedef float vf __attribute__((ext_vector_type(16)));

#if defined(__x86_64__)
#define LOOP(name, features) \
    __attribute__((target(features), noinline)) static float name(long rounds) { \
        vf s[12], x = 0.5f, y = 0.25f; \
        for (int i = 0; i < 12; i++) s[i] = (float)i; \
        for (long r = 0; r < rounds; r++) { \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < 12; i++) s[i] = __builtin_elementwise_fma(s[i], x, \
                y); \
        } \
        vf all = 0; \
        for (int i = 0; i < 12; i++) all += s[i]; \
        return all.x + all.y; \
    }
LOOP(fma_avx512, "avx512f,avx512vl,fma")
LOOP(fma_avx2, "avx2,fma")
#else
static float fma_avx2(long rounds) { return (float)rounds; }
#define fma_avx512 fma_avx2
#endif

double meters_peak(void) {
    volatile float kept = 0;
    double best = 0;
    for (int i = 0; i < 7; i++) {
        long rounds = 2000000;
        double start = now();
        kept += apus_processor_has_avx512() ? fma_avx512(rounds) : fma_avx2(rounds);
        double speed = 2.0 * 16 * 12 * (double)rounds / (now() - start);
        if (speed > best) best = speed;
    }
    return best;
}

double meters_bandwidth(void) {
    size_t n = (size_t)1 << 25;
    float *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
    for (size_t i = 0; i < n; i++) x[i] = y[i] = 1;
    double best = 0;
    for (int i = 0; i < 3; i++) {
        double start = now();
        apus_add(n, x, y);
        double speed = 12.0 * (double)n / (now() - start);
        if (speed > best) best = speed;
    }
    free(x);
    free(y);
    return best;
}
