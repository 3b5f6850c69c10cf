// The optimizer, and sums over the state it writes: a part of the kernels' one source.

// Kingma and Ba 2015 as torch.optim.Adam computes it; decoupled decay as in AdamW.
INLINE void adam_vector(const apus_adam_constants *c, vf g, vf *p, vf *m, vf *v) {
    vf w = *p * c->decay_factor;
    g = fma16(w, c->l2, g);
    *m = fma16(g - *m, c->one_minus_beta1, *m);
    *v = fma16(g * c->one_minus_beta2, g, *v * c->beta2);
    vf denominator = fma16(__builtin_elementwise_sqrt(*v), c->inverse_root_correction, c->epsilon);
    *p = fma16(*m / denominator, -c->step_size, w);
}

// An odd number for each position. Any changed bit changes the sum of bits times weights.
INLINE vu weights16(uint32_t first) {
    vu w = first + (vu){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    w *= 0x9E3779B1u;
    return (w ^ (w >> 15)) | 1u;
}
INLINE vu weights_of_kind(vu w, int kind) {
    return kind == APUS_FIRST_MOMENTS ? ((w << 16) | (w >> 16) | 1u)
        : kind == APUS_SECOND_MOMENTS ? ((w ^ 0x5bd1e995u) | 1u) : w;
}

// Adds the products of bits and weights, 32 by 32 to 64 bits, modulo 2^64: in any order the same.
INLINE void add_products(vf x, vu w, vu64 *sum) {
    vu64 a, b;
    memcpy(&a, &x, sizeof a);
    memcpy(&b, &w, sizeof b);
    *sum += (a & 0xffffffffu) * (b & 0xffffffffu) + (a >> 32) * (b >> 32);
}
INLINE uint64_t total_u64(vu64 v) {
    uint64_t t[8], sum = 0;
    memcpy(t, &v, sizeof t);
    for (int i = 0; i < 8; i++) sum += t[i];
    return sum;
}

uint64_t VARIANT(position_sum)(size_t n, uint32_t first, int kind, const float *x) {
    vu64 sum = 0;
    FOR_VECTORS(n,
                { add_products(load(x + i), weights_of_kind(weights16(first + (uint32_t)i), kind), &sum); },
                { add_products(load_some(x + i, rest), weights_of_kind(weights16(first + (uint32_t)i), kind), &sum); });
    return total_u64(sum);
}

// Position sums of what an update wrote, while it is in registers.
INLINE void add_written(vf p, vf m, vf v, uint32_t p_place, uint32_t s_place, vu64 *parameters, vu64 *moments) {
    vu w = weights16(s_place);
    add_products(p, weights16(p_place), parameters);
    add_products(m, weights_of_kind(w, APUS_FIRST_MOMENTS), moments);
    add_products(v, weights_of_kind(w, APUS_SECOND_MOMENTS), moments);
}

INLINE void adam_range(
    size_t n, const apus_adam_constants *c, const float *g, float *p, float *m, float *v, uint32_t p_first,
        uint32_t s_first,
    uint64_t *sums) {
    size_t i = 0;
    vu64 parameters = 0, moments = 0;
    for (; i + W <= n; i += W) {
        vf a = load(p + i), b = load(m + i), d = load(v + i);
        adam_vector(c, g ? load(g + i) * c->gradient_scale : (vf)0.0f, &a, &b, &d);
        store(p + i, a);
        store(m + i, b);
        store(v + i, d);
        if (sums) add_written(a, b, d, p_first + (uint32_t)i, s_first + (uint32_t)i, &parameters, &moments);
    }
    if (i < n) {
        size_t rest = n - i;
        vf a = load_some(p + i, rest), b = load_some(m + i, rest), d = load_some(v + i, rest);
        adam_vector(c, g ? load_some(g + i, rest) * c->gradient_scale : (vf)0.0f, &a, &b, &d);
        store_some(p + i, a, rest);
        store_some(m + i, b, rest);
        store_some(v + i, d, rest);
        if (sums) {
            // Elements beyond the range contribute nothing.
            vf x = 0, y = 0, z = 0;
            memcpy(&x, &a, rest * sizeof(float));
            memcpy(&y, &b, rest * sizeof(float));
            memcpy(&z, &d, rest * sizeof(float));
            add_written(x, y, z, p_first + (uint32_t)i, s_first + (uint32_t)i, &parameters, &moments);
        }
    }
    if (sums) {
        sums[0] = total_u64(parameters);
        sums[1] = total_u64(moments);
    }
}

void VARIANT(adam)(size_t n, const apus_adam_constants *c, const float *g, float *p, float *m, float *v) {
    adam_range(n, c, g, p, m, v, 0, 0, 0);
}

// Two sums: of the parameters, and of both moments together.
void VARIANT(adam_summed)(
    size_t n, const apus_adam_constants *c, const float *g, float *p, float *m, float *v, uint32_t p_first,
        uint32_t s_first,
    uint64_t *sums) {
    adam_range(n, c, g, p, m, v, p_first, s_first, sums);
}

INLINE void fetch_row(size_t n, const float *x) {
    for (size_t i = 0; i < n; i += W) __builtin_prefetch(x + i, 1, 2);
}

// Rows of a table, ascending; rows in `ids` take the rows of g as their gradients, the others have none. Two sums per
// row if `sums` is set. The next row is prefetched, because the processor cannot predict scattered rows.
void VARIANT(adam_rows)(
    size_t count, const int32_t *rows, size_t n, const apus_adam_constants *c, size_t id_count, const int32_t *ids,
        const float *g,
    float *p, float *m, float *v, uint32_t p_first, uint32_t s_first, uint64_t *sums) {
    for (size_t r = 0, k = 0; r < count; r++) {
        const size_t at = (size_t)rows[r] * n;
        if (r + 1 < count) {
            const size_t next = (size_t)rows[r + 1] * n;
            fetch_row(n, p + next);
            fetch_row(n, m + next);
            fetch_row(n, v + next);
        }
        while (k < id_count && ids[k] < rows[r]) k++;
        const float *gradient = k < id_count && ids[k] == rows[r] ? g + k * n : 0;
        const uint32_t p_place = p_first + (uint32_t)at, s_place = s_first + (uint32_t)at;
        if (sums) adam_range(n, c, gradient, p + at, m + at, v + at, p_place, s_place, sums + 2 * r);
        else adam_range(n, c, gradient, p + at, m + at, v + at, 0, 0, 0);
    }
}
