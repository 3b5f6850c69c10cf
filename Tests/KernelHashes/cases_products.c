// Cases of matrix products in single precision and of attention: hundreds of shapes.
#include "cases.h"

static float *scratch(void) { return apus_memory(APUS_PRODUCT_SCRATCH * sizeof(float)); }

// One product, the left factor as rows or as columns, the right one as well. Rows may lie further apart than needed.
static void product(hashing *h, size_t m, size_t n, size_t k, int turned, int add, const apus_lanes *lanes,
    float *memory) {
    const size_t gap = apus_below(h, 3), a_ld = (turned & 1 ? m : k) + gap, b_ld = (turned & 2 ? k : n) + gap;
    const apus_product shape = {m, n, k, turned & 1 ? 1 : a_ld, turned & 1 ? a_ld : 1, turned & 2 ? 1 : b_ld,
        turned & 2 ? b_ld : 1, n + gap, add, lanes};
    const float *a = apus_numbers(h, (turned & 1 ? k : m) * a_ld, 1);
    const float *b = apus_numbers(h, (turned & 2 ? n : k) * b_ld, 1);
    float *c = apus_numbers(h, m * (n + gap), 1);
    apus_multiply(&shape, a, b, c, memory);
    apus_add_floats(h, c, m * (n + gap));
}

void apus_case_multiply(hashing *h) {
    static const size_t directed[][3] = {{1, 1, 1}, {1, 384, 384}, {230, 40, 30}, {15, 400, 20}, {13, 33, 520},
        {7, 200, 257}, {6, 16, 1100}, {28, 64, 1024}, {2, 16, 300}, {200, 2, 40}, {400, 8, 33}, {3, 1024, 9},
        {14, 32, 512}, {29, 193, 5}};
    float *memory = scratch();
    for (size_t i = 0; i < sizeof directed / sizeof *directed; i++)
        for (int turned = 0; turned < 4; turned++)
            product(h, directed[i][0], directed[i][1], directed[i][2], turned, (int)(i + (size_t)turned) % 2, 0,
                memory);
    for (int i = 0; i < 300; i++) {
        const size_t m = 1 + apus_below(h, 40), n = 1 + apus_below(h, 60), k = 1 + apus_below(h, 80);
        const int turned = (int)apus_below(h, 4), add = (int)apus_below(h, 3);
        product(h, m, n, k, turned, add, 0, memory);
    }
    // Of lanes the left factor is turned, as in the gradient of a weight.
    for (int i = 0; i < LANE_CASES; i++)
        for (int j = 0; j < 12; j++) {
            const apus_lanes *lanes = apus_lanes_of(apus_lane_cases[i]);
            const size_t m = j == 0 ? 230 : 1 + apus_below(h, 50), n = j == 1 ? 390 : 1 + apus_below(h, 50);
            const int add = j % 2 ? APUS_ADD_FINISHED : APUS_OVERWRITE;
            product(h, m, j == 2 ? 2 : n, apus_rows_of(lanes), 1, add, lanes, memory);
        }
    const int long_lanes[] = {530, 7, 0, -1};
    const apus_lanes *lanes = apus_lanes_of(long_lanes);
    for (int add = 0; add <= APUS_ADD_FINISHED; add += APUS_ADD_FINISHED)
        product(h, 20, 40, apus_rows_of(lanes), 1, add, lanes, memory);
    // Factors at the edges of the range: infinities and NaN come of them.
    const float *a = apus_any_numbers(h, 50 * 20), *b = apus_any_numbers(h, 20 * 70);
    float *c = apus_wild_numbers(h, 50 * 70);
    const apus_product wild = {50, 70, 20, 20, 1, 70, 1, 70, APUS_START_FROM, 0};
    apus_multiply(&wild, a, b, c, memory);
    apus_add_floats(h, c, 50 * 70);
}

static const struct {
    size_t queries, keys, heads, width;
} sentences[] = {{1, 1, 1, 8}, {5, 5, 2, 32}, {16, 16, 1, 64}, {33, 33, 2, 24}, {1, 40, 3, 16}, {70, 70, 1, 12},
    {7, 100, 2, 5}};
enum { SENTENCES = 7 };

// Scores far apart, so that probabilities become tiny, in the last round.
static float scale_of(int round) { return round == 3 ? 12 : 1; }

static apus_attention_shape shape_of(int i, int order) {
    const size_t columns = sentences[i].heads * sentences[i].width;
    return (apus_attention_shape){sentences[i].queries, sentences[i].keys, sentences[i].heads, sentences[i].width,
        columns + 3, 2 * columns + 1, columns, columns + 2, columns + 5, 0.17677669f, 1.1111112f, order};
}

static const uint16_t *bits_of(hashing *h, const apus_attention_shape *s) {
    return apus_bits(h, s->heads * s->queries * ((s->keys + 15) / 16));
}

// Queries, keys or values as the order reads them.
static const void *read_numbers(hashing *h, size_t n, float scale, int order) {
    const float *x = apus_numbers(h, n, scale);
    if (order == APUS_SINGLE_PRECISION) return x;
    uint32_t *rounded = apus_memory(apus_stored_pairs(n) * sizeof *rounded);
    apus_left_pairs(1, n, x, n, rounded, 0);
    return rounded;
}

#define FOR_SENTENCES(s, round) \
    for (int order = APUS_SINGLE_PRECISION; order <= APUS_TILE_ORDER; order++) \
        for (int i = 0; i < SENTENCES; i++) \
            for (int round = 0; round < 4; round++) \
                for (apus_attention_shape s = shape_of(i, order), *once = &s; once; once = 0)

void apus_case_attention(hashing *h) {
    FOR_SENTENCES(s, round) {
        float *memory = apus_memory(apus_attention_scratch(s.keys, s.width) * sizeof(float));
        float *context = apus_output(s.queries * s.context_row);
        apus_attention(&s, read_numbers(h, s.queries * s.query_row, scale_of(round), order),
            read_numbers(h, s.keys * s.key_row, scale_of(round), order),
            read_numbers(h, s.keys * s.key_row, 1, order),
            round % 2 ? bits_of(h, &s) : 0, context, memory);
        apus_add_floats(h, context, s.queries * s.context_row);
    }
}

void apus_case_attention_backward(hashing *h) {
    FOR_SENTENCES(s, round) {
        const size_t asked = s.queries * s.query_gradient_row, answered = s.keys * s.key_gradient_row;
        float *memory = apus_memory(apus_attention_scratch(s.keys, s.width) * sizeof(float));
        float *dqueries = apus_output(asked), *dkeys = apus_output(answered), *dvalues = apus_output(answered);
        apus_attention_backward(&s, read_numbers(h, s.queries * s.query_row, scale_of(round), order),
            read_numbers(h, s.keys * s.key_row, scale_of(round), order),
            read_numbers(h, s.keys * s.key_row, 1, order),
            round % 2 ? bits_of(h, &s) : 0, apus_numbers(h, s.queries * s.context_row, 1), dqueries, dkeys, dvalues,
            memory);
        apus_add_floats(h, dqueries, asked);
        apus_add_floats(h, dkeys, answered);
        apus_add_floats(h, dvalues, answered);
    }
}
