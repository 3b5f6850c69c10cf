// Cases of the elementwise and row-wise kernels, of sums and losses.
#include "cases.h"

#define FOR_LENGTHS(n) \
    for (size_t at = 0, n; at < LENGTHS && (n = apus_lengths[at]); at++)
static const float scales[] = {0.01f, 1, 10, 100};
enum { SCALES = 4 };

static size_t whole(size_t n) { return (n + 15) / 16 * 16; }

typedef void (*mapping)(size_t n, const float *x, float *y);

static void map(hashing *h, mapping function) {
    FOR_LENGTHS(n) {
        float *y = apus_output(n);
        for (int i = 0; i < SCALES; i++) {
            function(n, apus_numbers(h, n, scales[i]), y);
            apus_add_floats(h, y, n);
        }
        function(n, apus_any_numbers(h, n), y);
        apus_add_floats(h, y, n);
    }
}

void apus_case_exp(hashing *h) { map(h, apus_exp); }
void apus_case_tanh(hashing *h) { map(h, apus_tanh); }
void apus_case_add(hashing *h) { map(h, apus_add); }

void apus_case_bias_tanh(hashing *h) {
    FOR_LENGTHS(n) {
        float *x = apus_numbers(h, 3 * n, 2);
        apus_bias_tanh(3, n, apus_numbers(h, n, 1), x);
        apus_add_floats(h, x, 3 * n);
    }
}

void apus_case_tanh_backward(hashing *h) {
    FOR_LENGTHS(n) {
        float *dy = apus_numbers(h, n, 2);
        apus_tanh_backward(n, apus_numbers(h, n, 1), dy);
        apus_add_floats(h, dy, n);
    }
}

void apus_case_bias_activation(hashing *h) {
    for (int kind = APUS_GELU; kind <= APUS_RELU; kind++)
        FOR_LENGTHS(n)
            for (int i = 0; i <= SCALES; i++) {
                float *x = i < SCALES ? apus_numbers(h, 3 * n, scales[i]) : apus_wild_numbers(h, 3 * n);
                float *y = apus_output(3 * n);
                apus_bias_activation(kind, 3, n, apus_numbers(h, n, 1), x, y);
                apus_add_floats(h, x, 3 * n);
                apus_add_floats(h, y, 3 * n);
            }
}

void apus_case_activation_backward(hashing *h) {
    for (int i = 0; i < LANE_CASES; i++)
        FOR_LENGTHS(n) {
            const apus_lanes *lanes = apus_lanes_of(apus_lane_cases[i]);
            const size_t ld = n + 3, count = apus_rows_of(lanes) * ld;
            float *dy = apus_numbers(h, count, 1), *sums = apus_output(n);
            apus_activation_backward(lanes, n, ld, apus_numbers(h, count, 1), dy, sums);
            apus_add_floats(h, dy, count);
            apus_add_floats(h, sums, n);
        }
}

void apus_case_column_sums(hashing *h) {
    for (int i = 0; i < LANE_CASES; i++)
        FOR_LENGTHS(n) {
            const apus_lanes *lanes = apus_lanes_of(apus_lane_cases[i]);
            const size_t ld = n + 5;
            float *sums = apus_output(n);
            apus_column_sums(lanes, n, ld, apus_numbers(h, apus_rows_of(lanes) * ld, 1), sums);
            apus_add_floats(h, sums, n);
        }
}

void apus_case_add_bias(hashing *h) {
    FOR_LENGTHS(n) {
        float *x = apus_wild_numbers(h, 4 * (n + 2));
        apus_add_bias(4, n, n + 2, apus_wild_numbers(h, n), x);
        apus_add_floats(h, x, 4 * (n + 2));
    }
}

void apus_case_dropout_bits(hashing *h) {
    for (size_t first = 0; first < 40; first += 7)
        for (size_t words = 1; words < 60; words += 13) {
            const uint32_t counter[3] = {(uint32_t)apus_next(h), (uint32_t)apus_next(h), (uint32_t)apus_next(h)};
            uint16_t *bits = apus_bits(h, words);
            apus_dropout_bits(first, words, apus_next(h), counter, 6554, bits);
            for (size_t w = 0; w < words; w++) apus_add_word(h, bits[w]);
        }
}

void apus_case_dropout(hashing *h) {
    FOR_LENGTHS(n) {
        const size_t count = 3 * (n + 1);
        float *y = apus_output(count);
        apus_dropout(3, n, n + 1, apus_bits(h, 3 * whole(n) / 16), 1.1111112f, apus_wild_numbers(h, count), y);
        apus_add_floats(h, y, count);
    }
}

void apus_case_dropout_and_sums(hashing *h) {
    for (int i = 0; i < LANE_CASES; i++)
        FOR_LENGTHS(n) {
            const apus_lanes *lanes = apus_lanes_of(apus_lane_cases[i]);
            const size_t rows = apus_rows_of(lanes), ld = n + 17;
            float *y = apus_output(rows * ld), *sums = apus_output(n);
            apus_dropout_and_sums(lanes, n, ld, apus_bits(h, rows * whole(ld) / 16), 1.25f,
                apus_numbers(h, rows * ld, 1), y, sums);
            apus_add_floats(h, y, rows * ld);
            apus_add_floats(h, sums, n);
        }
}

void apus_case_layer_norm(hashing *h) {
    FOR_LENGTHS(n)
        for (int options = 0; options < 16; options++) {
            enum { ROWS = 5 };
            int32_t *rows = apus_memory(ROWS * sizeof *rows);
            for (int r = 0; r < ROWS; r++) rows[r] = (int32_t)apus_below(h, ROWS);
            float *x = apus_numbers(h, ROWS * n, 3), *y = apus_output(ROWS * n), *inverse = apus_output(ROWS);
            const float *bias = options & 1 ? apus_numbers(h, n, 1) : 0;
            const uint16_t *bits = options & 2 ? apus_bits(h, ROWS * whole(n) / 16) : 0;
            const float *residual = options & 4 ? apus_numbers(h, ROWS * n, 1) : 0;
            apus_layer_norm(ROWS, n, bias, bits, 1.25f, residual, options & 8 ? rows : 0, apus_numbers(h, n, 2),
                apus_numbers(h, n, 1), 1e-12f, x, y, inverse);
            apus_add_floats(h, x, ROWS * n);
            apus_add_floats(h, y, ROWS * n);
            apus_add_floats(h, inverse, ROWS);
        }
}

void apus_case_gain_and_shift(hashing *h) {
    for (int i = 0; i < LANE_CASES; i++)
        FOR_LENGTHS(n) {
            const apus_lanes *lanes = apus_lanes_of(apus_lane_cases[i]);
            const size_t ld = n + 1, count = apus_rows_of(lanes) * ld;
            float *gain = apus_output(n), *shift = apus_output(n);
            apus_gain_and_shift(lanes, n, ld, apus_numbers(h, count, 2), apus_numbers(h, count, 1), gain, shift);
            apus_add_floats(h, gain, n);
            apus_add_floats(h, shift, n);
        }
}

void apus_case_layer_norm_backward(hashing *h) {
    FOR_LENGTHS(n) {
        float *dy = apus_numbers(h, 4 * n, 1);
        apus_layer_norm_backward(4, n, apus_numbers(h, 4 * n, 2), apus_numbers(h, 4, 1), apus_numbers(h, n, 2), dy);
        apus_add_floats(h, dy, 4 * n);
    }
}

void apus_case_softmax(hashing *h) {
    FOR_LENGTHS(n)
        for (int i = 0; i < SCALES; i++) {
            const size_t ld = whole(n) + 16 * (size_t)(i == 1);
            float *x = apus_numbers(h, 3 * ld, scales[i]);
            apus_softmax(3, ld == whole(n) ? n : ld - 3, ld, 0.17677669f, x);
            apus_add_floats(h, x, 3 * ld);
        }
}

void apus_case_softmax_backward(hashing *h) {
    FOR_LENGTHS(n) {
        const size_t ld = whole(n);
        float *p = apus_numbers(h, 3 * ld, 1), *dp = apus_numbers(h, 3 * ld, 1);
        apus_softmax(3, n, ld, 1, p);
        apus_softmax_backward(3, n, ld, 0.17677669f, p, dp);
        apus_add_floats(h, dp, 3 * ld);
    }
}

void apus_case_cross_entropy(hashing *h) {
    FOR_LENGTHS(n)
        for (int i = 0; i < SCALES; i++) {
            float *gradient = apus_output(n);
            const float *logits = apus_numbers(h, n, scales[i]);
            apus_add_double(h, apus_cross_entropy(n, logits, apus_below(h, n), 0.03125f, gradient));
            apus_add_floats(h, gradient, n);
            apus_add_double(h, apus_cross_entropy(n, logits, apus_below(h, n), 0.03125f, 0));
        }
}

void apus_case_binary_cross_entropy(hashing *h) {
    FOR_LENGTHS(n)
        for (int i = 0; i <= SCALES; i++) {
            float *gradient = apus_output(n), *targets = apus_output(n);
            for (size_t j = 0; j < n; j++) targets[j] = (float)apus_below(h, 2);
            const float *logits = i < SCALES ? apus_numbers(h, n, scales[i]) : apus_any_numbers(h, n);
            apus_add_double(h, apus_binary_cross_entropy(n, logits, targets, 0.125f, gradient));
            apus_add_floats(h, gradient, n);
        }
}
