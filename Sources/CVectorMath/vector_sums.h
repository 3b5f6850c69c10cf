// Sums of rows by group and of squares, embedding rows: a part of the kernels' one source.

void VARIANT(scale)(size_t n, float factor, float *x) {
    size_t i = 0;
    for (; i + W <= n; i += W) store(x + i, load(x + i) * factor);
    for (; i < n; i++) x[i] *= factor;
}

void VARIANT(add)(size_t n, const float *x, float *y) {
    size_t i = 0;
    for (; i + W <= n; i += W) store(y + i, load(y + i) + load(x + i));
    for (; i < n; i++) y[i] += x[i];
}

// Row g of y is the sum of rows order[starts[g] ..< starts[g + 1]] of x, in that order within each lane; then the
// lanes in the order of their tree.
void VARIANT(sum_rows_by_group)(const apus_lanes *lanes, size_t groups, size_t n, const int32_t *starts,
    const int32_t *order, const float *x, float *y) {
    enum { WIDTH = 256 };
    for (size_t g = 0; g < groups; g++, y += n) {
        if (starts[g] == starts[g + 1]) {
            memset(y, 0, n * sizeof(float));
            continue;
        }
        for (size_t left = 0; left < n; left += WIDTH) {
            const size_t columns = n - left < WIDTH ? n - left : WIDTH;
            float waiting[APUS_MOST_SUMS][WIDTH];
            size_t depth = 0;
            int32_t j = starts[g];
            for (size_t lane = 0; lane < lanes->count; lane++, depth++) {
                const int32_t end = lanes->first[lane + 1];
                float *total = waiting[depth];
                if (j < starts[g + 1] && order[j] < end)
                    memcpy(total, x + (size_t)order[j++] * n + left, columns * sizeof(float));
                else memset(total, 0, columns * sizeof(float));
                for (; j < starts[g + 1] && order[j] < end; j++)
                    VARIANT(add)(columns, x + (size_t)order[j] * n + left, total);
                for (size_t join = 0; join < lanes->joins[lane]; join++, depth--)
                    VARIANT(add)(columns, waiting[depth], waiting[depth - 1]);
            }
            memcpy(y + left, waiting[0], columns * sizeof(float));
        }
    }
}

void VARIANT(embed)(size_t rows, size_t n, const int32_t *ids, const int32_t *positions, const uint8_t *types,
                    const float *words_table, const float *position_table, const float *type_table, float *y) {
    for (size_t r = 0; r < rows; r++, y += n) {
        const float *w = words_table + (size_t)ids[r] * n, *p = position_table + (size_t)positions[r] * n;
        const float *t = type_table + (size_t)types[r] * n;
        size_t i = 0;
        for (; i + W <= n; i += W) store(y + i, (load(w + i) + load(t + i)) + load(p + i));
        for (; i < n; i++) y[i] = (w[i] + t[i]) + p[i];
    }
}

double VARIANT(sum_of_squares)(size_t n, const float *x) {
    vd sum = 0;
    FOR_VECTORS(n, { sum = add_squares(load(x + i), sum); }, { sum = add_squares(load_some(x + i, rest), sum); });
    return total_double(sum);
}

// The sum of squares of each block of `block` elements, a multiple of 16; the last may be short. Four blocks at a time,
// because memory answers four streams faster than one.
void VARIANT(block_squares)(size_t n, size_t block, const float *x, double *sums) {
    for (; n >= 4 * block; n -= 4 * block, x += 4 * block, sums += 4) {
        vd sum[4] = {0, 0, 0, 0};
        for (size_t i = 0; i < block; i += W)
            for (int j = 0; j < 4; j++) sum[j] = add_squares(load(x + j * block + i), sum[j]);
        for (int j = 0; j < 4; j++) sums[j] = total_double(sum[j]);
    }
    for (size_t i = 0; i < n; i += block) sums[i / block] = VARIANT(sum_of_squares)(n - i < block ? n - i : block, x
        + i);
}

int VARIANT(all_finite)(size_t n, const float *x) {
    vi bad = 0;
    FOR_VECTORS(n,
                { vf v = load(x + i) * 0.0f; bad |= v != 0.0f; },
                { vf v = load_some(x + i, rest) * 0.0f; bad |= v != 0.0f; });
    return mask_of(bad != 0) == 0;
}
