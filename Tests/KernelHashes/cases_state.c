// Cases of the optimizer, of sums over what it writes, of the embedding tables, and of functions of one number.
#include "cases.h"

#define FOR_LENGTHS(n) \
    for (size_t at = 0, n; at < LENGTHS && (n = apus_lengths[at]); at++)

void apus_case_scale(hashing *h) {
    FOR_LENGTHS(n) {
        float *x = apus_wild_numbers(h, n);
        apus_scale(n, 0.37f, x);
        apus_add_floats(h, x, n);
    }
}

// Rows of x in groups: in ascending order within a group, and each row in one group or in none.
void apus_case_sum_rows_by_group(hashing *h) {
    for (int i = 0; i < LANE_CASES; i++)
        FOR_LENGTHS(n) {
            enum { GROUPS = 9 };
            const apus_lanes *lanes = apus_lanes_of(apus_lane_cases[i]);
            const size_t rows = apus_rows_of(lanes);
            int32_t starts[GROUPS + 1] = {0}, *order = apus_memory(rows * sizeof *order);
            uint8_t *group = apus_memory(rows);
            for (size_t r = 0; r < rows; r++) group[r] = (uint8_t)apus_below(h, GROUPS + 1);
            int32_t count = 0;
            for (int g = 0; g < GROUPS; g++) {
                for (size_t r = 0; r < rows; r++)
                    if (group[r] == g) order[count++] = (int32_t)r;
                starts[g + 1] = count;
            }
            float *y = apus_output(GROUPS * n);
            apus_sum_rows_by_group(lanes, GROUPS, n, starts, order, apus_numbers(h, rows * n, 1), y);
            apus_add_floats(h, y, GROUPS * n);
        }
}

void apus_case_embed(hashing *h) {
    FOR_LENGTHS(n) {
        enum { ROWS = 12, WORDS = 30, POSITIONS = 8 };
        int32_t ids[ROWS], positions[ROWS];
        uint8_t types[ROWS];
        for (int r = 0; r < ROWS; r++) {
            ids[r] = (int32_t)apus_below(h, WORDS);
            positions[r] = (int32_t)apus_below(h, POSITIONS);
            types[r] = (uint8_t)apus_below(h, 2);
        }
        float *y = apus_output(ROWS * n);
        apus_embed(ROWS, n, ids, positions, types, apus_numbers(h, WORDS * n, 1), apus_numbers(h, POSITIONS * n, 1),
            apus_numbers(h, 2 * n, 1), y);
        apus_add_floats(h, y, ROWS * n);
    }
}

void apus_case_sum_of_squares(hashing *h) {
    FOR_LENGTHS(n) {
        apus_add_double(h, apus_sum_of_squares(n, apus_numbers(h, n, 3)));
        apus_add_double(h, apus_sum_of_squares(n, apus_wild_numbers(h, n)));
        apus_add_double(h, apus_sum_of_squares(n, apus_any_numbers(h, n)));
    }
}

void apus_case_block_squares(hashing *h) {
    enum { BLOCK = 64, MOST = 12 };
    for (size_t n = 1; n < MOST * BLOCK; n += 97) {
        double sums[MOST] = {0};
        apus_block_squares(n, BLOCK, apus_wild_numbers(h, n), sums);
        for (int i = 0; i < MOST; i++) apus_add_double(h, sums[i]);
    }
}

void apus_case_all_finite(hashing *h) {
    FOR_LENGTHS(n)
        for (int round = 0; round < 8; round++) {
            float *x = apus_wild_numbers(h, n);
            apus_add_word(h, apus_all_finite(n, x) != 0);
            x[apus_below(h, n)] = apus_any_numbers(h, 300)[apus_below(h, 300)];
            apus_add_word(h, apus_all_finite(n, x) != 0);
            x[apus_below(h, n)] = round % 2 ? __builtin_inff() : __builtin_nanf("");
            apus_add_word(h, apus_all_finite(n, x) != 0);
        }
}

static const apus_adam_constants updates[] = {
    {1, 0.9f, 0.999f, 0.1f, 0.001f, 5e-4f, 31.622776f, 1e-8f, 1, 0},
    {0.731f, 0.9f, 0.98f, 0.1f, 0.02f, 1.7e-3f, 2.25f, 1e-6f, 0.9995f, 0},
    {0.2f, 0.8f, 0.99f, 0.2f, 0.01f, 3e-5f, 1.5f, 1e-8f, 1, 0.01f},
};
enum { UPDATES = 3, STEPS = 3 };

static float *squares(hashing *h, size_t n) {
    float *x = apus_numbers(h, n, 1);
    for (size_t i = 0; i < n; i++) x[i] *= x[i];
    return x;
}

static void add_state(hashing *h, size_t n, const float *p, const float *m, const float *v) {
    apus_add_floats(h, p, n);
    apus_add_floats(h, m, n);
    apus_add_floats(h, v, n);
}

void apus_case_adam(hashing *h) {
    for (int kind = 0; kind < UPDATES; kind++)
        FOR_LENGTHS(n) {
            float *p = apus_numbers(h, n, 1), *m = apus_numbers(h, n, 1), *v = squares(h, n);
            for (int step = 0; step < STEPS; step++)
                apus_adam(n, updates + kind, step == 1 ? apus_wild_numbers(h, n) : apus_numbers(h, n, 0.1f), p, m, v);
            add_state(h, n, p, m, v);
        }
}

void apus_case_adam_summed(hashing *h) {
    for (int kind = 0; kind < UPDATES; kind++)
        FOR_LENGTHS(n) {
            float *p = apus_numbers(h, n, 1), *m = apus_numbers(h, n, 1), *v = squares(h, n);
            uint64_t sums[2];
            apus_adam_summed(n, updates + kind, apus_numbers(h, n, 0.1f), p, m, v, (uint32_t)apus_next(h),
                (uint32_t)apus_next(h), sums);
            add_state(h, n, p, m, v);
            for (int i = 0; i < 2; i++) apus_add_word(h, sums[i]);
        }
}

void apus_case_adam_rows(hashing *h) {
    static const int32_t rows[] = {1, 2, 5, 8, 9}, ids[] = {0, 2, 8, 11};
    enum { COUNT = 5, IDS = 4, TABLE = 12 };
    for (int kind = 0; kind < UPDATES; kind++)
        FOR_LENGTHS(n)
            for (int summed = 0; summed < 2; summed++) {
                const size_t all = TABLE * n;
                float *p = apus_numbers(h, all, 1), *m = apus_numbers(h, all, 1), *v = squares(h, all);
                uint64_t sums[2 * COUNT] = {0};
                apus_adam_rows(COUNT, rows, n, updates + kind, IDS, ids, apus_numbers(h, IDS * n, 0.1f), p, m, v, 77,
                    1234567, summed ? sums : 0);
                add_state(h, all, p, m, v);
                for (int i = 0; i < 2 * COUNT; i++) apus_add_word(h, sums[i]);
            }
}

void apus_case_position_sum(hashing *h) {
    for (int kind = APUS_PARAMETERS; kind <= APUS_SECOND_MOMENTS; kind++)
        FOR_LENGTHS(n)
            apus_add_word(h, apus_position_sum(n, (uint32_t)apus_next(h), kind, apus_any_numbers(h, n)));
}

// Ten thousand arguments between -1 and 1.
#define FOR_ARGUMENTS(x) \
    for (int at = 0; at < 10000; at++) \
        for (double x = (double)((int64_t)apus_next(h) >> 11) * 0x1p-52, once = 1; once > 0; once = 0)

void apus_case_log(hashing *h) {
    FOR_ARGUMENTS(x) apus_add_double(h, apus_log((x < 0 ? -x : x) * 1e3 + 1e-300));
    apus_add_double(h, apus_log(__builtin_inf()));
}

void apus_case_exponential(hashing *h) {
    FOR_ARGUMENTS(x) apus_add_double(h, apus_exponential(x * 750));
}

void apus_case_power(hashing *h) {
    FOR_ARGUMENTS(x) apus_add_double(h, apus_power(1 - (x < 0 ? -x : x) * 0.01, (uint64_t)at * 7));
}

void apus_case_cosine_of_pi(hashing *h) {
    FOR_ARGUMENTS(x) apus_add_double(h, apus_cosine_of_pi(x * 5));
    apus_add_double(h, apus_cosine_of_pi(1e300));
}
