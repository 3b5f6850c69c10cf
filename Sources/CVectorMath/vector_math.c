// Picks one variant of the kernels for this processor, once, and forwards to it.
#include "vector_math.h"
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define TABLE(set) \
    APUS_KERNELS(DECLARE_##set) \
    static const apus_kernel_table table_##set = {.level = #set, APUS_KERNELS(ENTRY_##set)};

#if defined(__x86_64__)
#define DECLARE_avx512(result, name, parameters, arguments) result apus_##name##_avx512 parameters;
#define ENTRY_avx512(result, name, parameters, arguments) .name = apus_##name##_avx512,
#define DECLARE_avx2(result, name, parameters, arguments) result apus_##name##_avx2 parameters;
#define ENTRY_avx2(result, name, parameters, arguments) .name = apus_##name##_avx2,
TABLE(avx512)
TABLE(avx2)

int apus_processor_has_avx512(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
}

int apus_vector_supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static const apus_kernel_table *widest(void) { return apus_processor_has_avx512() ? &table_avx512 : &table_avx2; }

static const apus_kernel_table *named(const char *name) {
    if (strcmp(name, "avx512") == 0) return apus_processor_has_avx512() ? &table_avx512 : 0;
    return strcmp(name, "avx2") == 0 && apus_vector_supported() ? &table_avx2 : 0;
}
#else
#define DECLARE_baseline(result, name, parameters, arguments) result apus_##name##_baseline parameters;
#define ENTRY_baseline(result, name, parameters, arguments) .name = apus_##name##_baseline,
TABLE(baseline)

int apus_processor_has_avx512(void) { return 0; }
int apus_vector_supported(void) { return 1; }
static const apus_kernel_table *widest(void) { return &table_baseline; }
static const apus_kernel_table *named(const char *name) { return strcmp(name, "baseline") == 0 ? &table_baseline : 0; }
#endif

// Every thread that finds it empty writes the same value.
static _Atomic(const apus_kernel_table *) chosen;

const apus_kernel_table *apus_kernels(void) {
    const apus_kernel_table *table = chosen;
    if (!table) chosen = table = widest();
    return table;
}

void apus_use_kernels(const apus_kernel_table *table) { chosen = table; }

const char *apus_vector_level(void) { return apus_kernels()->level; }

int apus_use_vector_level(const char *name) {
    const apus_kernel_table *table = named(name);
    if (table) chosen = table;
    return table != 0;
}

#define APUS_FORWARD(result, name, parameters, \
    arguments) result apus_##name parameters { return apus_kernels()->name arguments; }
APUS_KERNELS(APUS_FORWARD)

int apus_is_optimized(void) {
#ifdef __OPTIMIZE__
    return 1;
#else
    return 0;
#endif
}

// 1: yes, 2: no.
static _Atomic int reading;

int apus_reads_in_place(void) {
    if (!reading) {
#if defined(__x86_64__)
        __builtin_cpu_init();
        reading = __builtin_cpu_is("amd") ? 1 : 2;
#else
        reading = 2;
#endif
    }
    return reading == 1;
}

void apus_read_in_place(int yes) { reading = yes ? 1 : 2; }
