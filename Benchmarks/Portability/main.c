// The kernels' hashes with every instruction set and unit for bf16 that this processor has, against the expected ones.
//
//     kernel-hashes                 # prints them, with the instruction set that is fastest here
//     kernel-hashes FILE [LEVEL…]   # compares them with FILE; only with these instruction sets
//
// scripts/test-arm64.sh builds and runs it for several architectures. Exit status 1 if a hash differs.
#include "kernel_hashes.h"
#include "vector_math.h"
#include <stdio.h>
#include <string.h>

enum { MOST_KERNELS = 64 };

// The expected hashes, in the order of the kernels; 0 if the file does not have exactly these.
static int read_expected(const char *path, unsigned long long *expected) {
    FILE *file = fopen(path, "r");
    char name[64];
    unsigned long long hash;
    size_t count = 0;
    while (file && count < apus_hashed_kernels() && fscanf(file, "%63s %llx", name, &hash) == 2) {
        if (strcmp(name, apus_hashed_kernel(count)) != 0) break;
        expected[count++] = hash;
    }
    const int whole = file && count == apus_hashed_kernels() && fscanf(file, "%63s", name) == EOF;
    if (file) fclose(file);
    return whole;
}

// Prints one line for the instruction set and unit in use, and one for each kernel that differs.
static int compare(const char *unit, const unsigned long long *expected) {
    size_t differing = 0;
    for (size_t i = 0; i < apus_hashed_kernels(); i++) {
        const unsigned long long hash = apus_kernel_hash(i);
        if (hash == expected[i]) continue;
        printf("%s: %016llx, expected %016llx\n", apus_hashed_kernel(i), hash, expected[i]);
        differing++;
    }
    const size_t wrong = apus_wrong_fused_multiply_adds();
    printf("%s, bf16 by %s: %zu of %zu kernels as expected; %zu of %d hard multiply-adds as the C library's\n",
        apus_vector_level(), unit, apus_hashed_kernels() - differing, apus_hashed_kernels(), APUS_HARD_CASES - wrong,
        APUS_HARD_CASES);
    fflush(stdout);
    return differing > 0 || wrong > 0;
}

static int compare_units(const unsigned long long *expected) {
    apus_use_pair_units(APUS_NO_UNIT);
    int differs = compare("fused multiply-adds", expected);
    apus_use_pair_units(APUS_ANY_UNIT);
    const int pairs = apus_pair_unit_is_native(APUS_PAIR_ORDER), tiles = apus_pair_unit_is_native(APUS_TILE_ORDER);
    if (pairs || tiles) differs |= compare(!tiles ? "VDPBF16PS" : pairs ? "VDPBF16PS and AMX" : "AMX", expected);
    return differs;
}

int main(int count, char **arguments) {
    if (count == 1) {
        for (size_t i = 0; i < apus_hashed_kernels(); i++)
            printf("%s\t%016llx\n", apus_hashed_kernel(i), (unsigned long long)apus_kernel_hash(i));
        return 0;
    }
    unsigned long long expected[MOST_KERNELS];
    if (apus_hashed_kernels() > MOST_KERNELS || !read_expected(arguments[1], expected)) {
        fprintf(stderr, "kernel-hashes: %s does not have one line for each kernel: make it again with kernel-hashes\n",
            arguments[1]);
        return 2;
    }
    int differs = 0;
    for (int i = 2; i < count; i++) {
        if (!apus_use_vector_level(arguments[i])) {
            fprintf(stderr, "kernel-hashes: this processor has no %s\n", arguments[i]);
            return 2;
        }
        differs |= compare_units(expected);
    }
    const char *level;
    for (size_t i = 0; count == 2 && (level = apus_vector_level_at(i)); i++) {
        apus_use_vector_level(level);
        differs |= compare_units(expected);
    }
    return differs;
}
