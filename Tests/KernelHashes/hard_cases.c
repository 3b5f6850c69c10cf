// Fused multiply-adds that go wrong if they are rounded twice, against those of the C library.
#include "inputs.h"
#include "kernel_hashes.h"
#include <math.h>
#include <string.h>

// A sum close to halfway between two floats: b is a factor near 1, a near half a unit in the last place of c.
static void near_halfway(hashing *h, float *a, float *b, float *c, int exponent) {
    const int close = 10 + (int)apus_below(h, 14), sign = apus_below(h, 2) ? 1 : -1;
    const float little = (float)sign * ldexpf(1, -close);
    const uint32_t fraction = (uint32_t)apus_below(h, 1 << 23);
    *a = ldexpf(1 + little, exponent - 24);
    *b = 1 - little + (apus_below(h, 3) ? 0 : little * little);
    *c = ldexpf(1 + (float)fraction * 0x1p-23f, exponent) * (apus_below(h, 2) ? 1 : -1);
}

size_t apus_wrong_fused_multiply_adds(void) {
    hashing state = {0x9e3779b97f4a7c15u, 0}, *h = &state;
    float *scratch = apus_memory(APUS_PRODUCT_SCRATCH * sizeof(float));
    size_t wrong = 0;
    for (size_t i = 0; i < APUS_HARD_CASES; i++) {
        float a, b, c;
        switch (i % 8) {
            case 0: near_halfway(h, &a, &b, &c, (int)apus_below(h, 200) - 100); break;
            case 1: near_halfway(h, &a, &b, &c, -126 + (int)apus_below(h, 6)); break;  // around the smallest normal
            case 2: near_halfway(h, &a, &b, &c, 122 + (int)apus_below(h, 6)); break;   // and the largest number
            case 3:  // subnormal results
                a = apus_numbers(h, 1, 0x1p-70f)[0];
                b = apus_numbers(h, 1, 0x1p-60f)[0];
                c = apus_numbers(h, 1, 0x1p-126f)[0];
                break;
            case 4:  // what is left after almost all is lost
                a = apus_numbers(h, 1, 8)[0];
                b = apus_numbers(h, 1, 8)[0];
                c = -(a * b);
                break;
            case 5:  // far below half a unit
                a = apus_numbers(h, 1, 0x1p-60f)[0];
                b = apus_numbers(h, 1, 1)[0];
                c = apus_numbers(h, 1, 2)[0];
                break;
            default:
                a = apus_any_numbers(h, 1)[0];
                b = apus_any_numbers(h, 1)[0];
                c = apus_any_numbers(h, 1)[0];
        }
        const apus_product product = {1, 1, 1, 1, 1, 1, 1, 1, APUS_START_FROM, 0};
        float found = c;
        apus_multiply(&product, &a, &b, &found, scratch);
        const float expected = fmaf(a, b, c);
        if (found != found ? expected == expected : memcmp(&found, &expected, sizeof found) != 0) wrong++;
        // The memory of a few thousand cases at a time.
        if (i % 1000 == 999) {
            apus_forget_inputs();
            scratch = apus_memory(APUS_PRODUCT_SCRATCH * sizeof(float));
        }
    }
    apus_forget_inputs();
    return wrong;
}
