#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), \
    apply_to = function)
// The attribute allows instructions but defines no __AVX512F__.
#define WIDE_REGISTERS 1
#define VARIANT(name) apus_##name##_avx512
#include "vector_kernels.h"
#pragma clang attribute pop
#endif
