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

static int has_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
int apus_processor_has_avx512(void) { return 0; }
#endif

#if defined(__aarch64__)
#define DECLARE_neon(result, name, parameters, arguments) result apus_##name##_neon parameters;
#define ENTRY_neon(result, name, parameters, arguments) .name = apus_##name##_neon,
TABLE(neon)
#else
#define DECLARE_portable(result, name, parameters, arguments) result apus_##name##_portable parameters;
#define ENTRY_portable(result, name, parameters, arguments) .name = apus_##name##_portable,
TABLE(portable)
#endif

// Widest first; null: this processor lacks it.
static const apus_kernel_table *level(size_t index) {
    switch (index) {
#if defined(__x86_64__)
        case 0: return apus_processor_has_avx512() ? &table_avx512 : 0;
        case 1: return has_avx2() ? &table_avx2 : 0;
#endif
#if defined(__aarch64__)
        case 2: return &table_neon;
#else
        case 2: return &table_portable;
#endif
        default: return 0;
    }
}
enum { LEVELS = 3 };

static const apus_kernel_table *widest(void) {
    size_t index = 0;
    while (!level(index)) index++;
    return level(index);
}

const char *apus_vector_level_at(size_t index) {
    for (size_t i = 0; i < LEVELS; i++)
        if (level(i) && index-- == 0) return level(i)->level;
    return 0;
}

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
    for (size_t i = 0; i < LEVELS; i++) {
        const apus_kernel_table *table = level(i);
        if (table && strcmp(table->level, name) == 0) {
            chosen = table;
            return 1;
        }
    }
    return 0;
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
