#define _GNU_SOURCE
#include "meters.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vector_math.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// MARK: Kernels

// Operations and bytes of each kernel, by its arguments. Elements are 4 bytes; a transcendental function counts its
// multiplies and adds.
#define ROWS ((double)lanes->first[lanes->count])
#define WORK_exp 14.0 * n, 8.0 * n
#define WORK_tanh 30.0 * n, 8.0 * n
#define WORK_bias_tanh 31.0 * rows * n, 8.0 * rows * n
#define WORK_tanh_backward 3.0 * n, 12.0 * n
#define WORK_bias_activation 40.0 * rows * n, 12.0 * rows * n
#define WORK_activation_backward 2.0 * ROWS * n, 12.0 * ROWS * n
#define WORK_column_sums 1.0 * ROWS * n, 4.0 * ROWS * n
#define WORK_add_bias 1.0 * rows * n, 8.0 * rows * n
#define WORK_dropout_bits 0.0, 2.0 * words
#define WORK_dropout 1.0 * rows * n, 8.125 * rows * n
#define WORK_dropout_and_sums 2.0 * ROWS * n, 8.125 * ROWS * n
#define WORK_layer_norm 10.0 * rows * n, 16.0 * rows * n
#define WORK_gain_and_shift 3.0 * ROWS * n, 8.0 * ROWS * n
#define WORK_layer_norm_backward 6.0 * rows * n, 12.0 * rows * n
#define WORK_softmax 20.0 * rows * n, 8.0 * rows * n
#define WORK_softmax_backward 5.0 * rows * n, 12.0 * rows * n
#define WORK_multiply 2.0 * product->m * product->n * product->k, 4.0 * (product->m * product->k \
    + product->k * product->n + product->m * product->n)
#define WORK_attention \
    (4.0 * shape->width + 20.0) * shape->heads * shape->queries * shape->keys, \
     8.0 * shape->heads * shape->width * (shape->queries + shape->keys)
#define WORK_attention_backward \
    (10.0 * shape->width + 25.0) * shape->heads * shape->queries * shape->keys, \
     4.0 * shape->heads * shape->width * (3.0 * shape->queries + 4.0 * shape->keys)
#define WORK_left_pairs 0.0, 6.0 * rows * n
#define WORK_left_pairs_turned 0.0, 6.0 * rows * n
#define WORK_right_pairs 0.0, 6.0 * rows * n
#define WORK_right_pairs_turned 0.0, 6.0 * columns * inner
#define WORK_right_pairs_of_left 0.0, 4.0 * rows * n
#define WORK_multiply_pairs 4.0 * block->m * block->n * block->pairs, 4.0 * (block->m * block->pairs \
    + block->pairs * block->n + block->m * block->n)
#define WORK_cross_entropy 16.0 * n, 8.0 * n
#define WORK_binary_cross_entropy 24.0 * n, 12.0 * n
#define WORK_scale 1.0 * n, 8.0 * n
#define WORK_add 1.0 * n, 12.0 * n
#define WORK_sum_rows_by_group 1.0 * starts[groups] * n, 4.0 * (starts[groups] + groups) * n
#define WORK_embed 2.0 * rows * n, 16.0 * rows * n
#define WORK_sum_of_squares 2.0 * n, 4.0 * n
#define WORK_block_squares 2.0 * n, 4.0 * n
#define WORK_all_finite 1.0 * n, 4.0 * n
#define WORK_adam (g ? 14.0 : 12.0) * n, (g ? 28.0 : 24.0) * n
#define WORK_adam_summed (g ? 14.0 : 12.0) * n, (g ? 28.0 : 24.0) * n
#define WORK_adam_rows (12.0 * count + 2.0 * id_count) * n, (24.0 * count + 4.0 * id_count) * n
#define WORK_position_sum 0.0, 4.0 * n

enum { PRODUCTS, SMALL_PRODUCTS, FIRST_KERNEL };
#define COUNT(result, kernel, parameters, arguments) KERNEL_##kernel,
enum { BEFORE_KERNELS = FIRST_KERNEL - 1, APUS_KERNELS(COUNT) METERS };
#define NAME(result, kernel, parameters, arguments) [KERNEL_##kernel] = {.name = #kernel},
static meter meters[METERS] = {
    [PRODUCTS] = {.name = "matrix_products"}, [SMALL_PRODUCTS] = {.name = "matrix_products_below_4_mflop"},
        APUS_KERNELS(NAME)};

typedef struct {
    int meter;
    double start, operations, bytes;
} span;

static void end(span *s) {
    meter *m = &meters[s->meter];
    m->seconds += now() - s->start;
    m->calls += 1;
    m->operations += s->operations;
    m->bytes += s->bytes;
}

static const apus_kernel_table *measured;

static apus_attention_shape *sentences;
static size_t sentence_count, sentence_space;

static void note_sentence(const apus_attention_shape *shape) {
    if (sentence_count == sentence_space) {
        sentence_space = sentence_space ? 2 * sentence_space : 4096;
        sentences = realloc(sentences, sentence_space * sizeof *sentences);
    }
    sentences[sentence_count++] = *shape;
}

#define TIMED(result, name, parameters, arguments) \
    static result timed_##name parameters { \
        span s __attribute__((cleanup(end))) = {KERNEL_##name, 0, WORK_##name}; \
        s.start = now(); \
        return measured->name arguments; \
    }
APUS_KERNELS(TIMED)
#define ENTRY(result, kernel, parameters, arguments) .kernel = timed_##kernel,

static const apus_kernel_table timed = {.level = "timed", APUS_KERNELS(ENTRY)};
static apus_kernel_table noted;

// The forward pass over a sentence: what attention's products are repeated by.
static void noted_attention(const apus_attention_shape *shape, const void *queries, const void *keys,
    const void *values,
                            const uint16_t *bits, float *context, float *scratch) {
    note_sentence(shape);
    timed_attention(shape, queries, keys, values, bits, context, scratch);
}

// MARK: Matrix products

// A product that the step had, and the places of its operands in the memory of the repetition.
typedef struct {
    apus_product shape;
    size_t a, b, c;
} noted_product;

static noted_product *products;
static size_t product_count, product_space;

// Distinct operands lie at distinct places, in the order in which they are met; a step's working set is about that of
// the original.
enum { PLACES = 1 << 12 };
static struct { const void *address; size_t place, size; } operands[PLACES];
static size_t operand_count, memory_size;

static size_t place_of(const void *address, size_t size) {
    for (size_t i = operand_count; i-- > 0;)
        if (operands[i].address == address && operands[i].size >= size) return operands[i].place;
    if (operand_count == PLACES) return 0;
    operands[operand_count].address = address;
    operands[operand_count].size = size;
    operands[operand_count].place = memory_size;
    memory_size += (size + 31) / 32 * 32;
    return operands[operand_count++].place;
}

static void note_product(noted_product p, const float *a, const float *b, const float *c) {
    if (product_count == product_space) {
        product_space = product_space ? 2 * product_space : 4096;
        products = realloc(products, product_space * sizeof *products);
    }
    const apus_product *s = &p.shape;
    p.a = place_of(a, (s->m - 1) * s->a_row + (s->k - 1) * s->a_step + 1);
    p.b = place_of(b, (s->n - 1) * s->b_column + (s->k - 1) * s->b_step + 1);
    p.c = place_of(c, (s->m - 1) * s->c_row + s->n);
    products[product_count++] = p;
}

static span product_span(const apus_product *s) {
    double m = (double)s->m, n = (double)s->n, k = (double)s->k;
    return (span){2 * m * n * k < 4e6 ? SMALL_PRODUCTS : PRODUCTS, now(), 2 * m * n * k, 4 * (m * k + k * n + m * n)};
}

static void noted_multiply(const apus_product *shape, const float *a, const float *b, float *c, float *scratch) {
    span s = product_span(shape);
    measured->multiply(shape, a, b, c, scratch);
    end(&s);
    note_product((noted_product){*shape, 0, 0, 0}, a, b, c);
}

static void repeat(const noted_product *p, float *memory, float *scratch) {
    measured->multiply(&p->shape, memory + p->a, memory + p->b, memory + p->c, scratch);
}

// MARK: Control

void meters_start(void) {
    for (int i = 0; i < METERS; i++) meters[i] = (meter){.name = meters[i].name};
    product_count = sentence_count = operand_count = memory_size = 0;
    measured = apus_kernels();
    noted = timed;
    noted.attention = noted_attention;
    noted.multiply = noted_multiply;
    apus_use_kernels(&noted);
}

void meters_stop(void) { apus_use_kernels(measured); }

const meter *meters_at(size_t index) { return index < METERS ? &meters[index] : 0; }

static float *memory_of(size_t count) {
    float *memory = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    for (size_t i = 0; i < count; i++) memory[i] = (float)(i % 17) * 0.01f - 0.08f;
    return memory;
}

double meters_repeat_products(void) {
    float *memory = memory_of(memory_size), *scratch = memory_of(APUS_PRODUCT_SCRATCH);
    double seconds = 0;
    for (int round = 0; round < 2; round++) {  // the first one warms the memory
        double start = now();
        for (size_t i = 0; i < product_count; i++) repeat(&products[i], memory, scratch);
        seconds = now() - start;
    }
    free(scratch);
    free(memory);
    return seconds;
}

double meters_repeat_attention(void) {
    size_t most = 0, longest = 0;
    for (size_t i = 0; i < sentence_count; i++) {
        size_t rows = sentences[i].keys > sentences[i].queries ? sentences[i].keys : sentences[i].queries;
        if (rows * sentences[i].key_row > most) most = rows * sentences[i].key_row;
        if (rows > longest) longest = rows;
    }
    float *x = memory_of(most), *g = memory_of(most), *y = memory_of(most), *scores = memory_of(longest * (longest
        + 16));
    float *scratch = memory_of(APUS_PRODUCT_SCRATCH);
    double start = now();
    for (size_t i = 0; i < sentence_count; i++) {
        const apus_attention_shape *s = &sentences[i];
        const size_t q = s->queries, k = s->keys, w = s->width, row = s->key_row, ld = (k + 15) / 16 * 16;
        const apus_product of_scores = {q, k, w, row, 1, 1, row, ld, 0}, of_context = {q, w, k, ld, 1, row, 1, row, 0};
        const apus_product of_keys = {k, w, q, 1, ld, row, 1, row, 0};
        for (size_t h = 0; h < s->heads; h++) {
            float *a = x + h * w, *b = g + h * w, *c = y + h * w;
            for (int pass = 0; pass < 2; pass++) {
                measured->multiply(&of_scores, a, b, scores, scratch);
                measured->multiply(&of_context, scores, b, c, scratch);
            }
            for (int pass = 0; pass < 2; pass++) measured->multiply(&of_keys, scores, a, c, scratch);
        }
    }
    double seconds = now() - start;
    free(scratch);
    free(x);
    free(g);
    free(y);
    free(scores);
    return seconds;
}

double meters_clock(void) {
    double start = now();
    for (int i = 0; i < 1000; i++) (void)now();
    return (now() - start) / 1000;
}
