// Layer norm with the residual and dropout before it: a part of the kernels' one source.

// z = dropout(x + bias) + residual; x = (z - mean) / deviation; y = x * gain + shift.
// bias, bits, residual and residual_rows may be null; residual row of row r is residual_rows[r] if given.
void VARIANT(layer_norm)(size_t rows, size_t n, const float *bias, const uint16_t *bits, float scale,
    const float *residual,
                         const int32_t *residual_rows, const float *gain, const float *shift, float epsilon, float *x,
                             float *y,
                         float *inverse_deviation) {
    size_t words = (n + W - 1) / W, whole = n / W * W, rest = n - whole;
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        const float *add = residual ? residual + (residual_rows ? (size_t)residual_rows[r] : r) * n : 0;
        vf sum = 0;
        for (size_t i = 0; i < n; i += W) {
            size_t m = i < whole ? W : rest;
            int full = m == W;
            vf z = full ? load(x + i) : load_some(x + i, m);
            if (bias) z += full ? load(bias + i) : load_some(bias + i, m);
            if (bits) z = choose(lanes_of(bits[r * words + i / W]), z * scale, 0.0f);
            if (add) z += full ? load(add + i) : load_some(add + i, m);
            if (full) store(x + i, z);
            else store_some(x + i, z, m);
            sum += z;
        }
        float mean = total(sum) / (float)n;
        vf squares = 0;
        size_t i = 0;
        for (; i < whole; i += W) {
            vf d = load(x + i) - mean;
            squares = fma16(d, d, squares);
        }
        if (rest) {
            vf d = 0;
            for (size_t j = 0; j < rest; j++) d[j] = x[i + j] - mean;
            squares = fma16(d, d, squares);
        }
        float inverse = 1.0f / __builtin_sqrtf(total(squares) / (float)n + epsilon);
        inverse_deviation[r] = inverse;
        for (i = 0; i < whole; i += W) {
            vf h = (load(x + i) - mean) * inverse;
            store(x + i, h);
            store(y + i, fma16(h, load(gain + i), load(shift + i)));
        }
        if (rest) {
            vf h = (load_some(x + i, rest) - mean) * inverse;
            store_some(x + i, h, rest);
            store_some(y + i, fma16(h, load_some(gain + i, rest), load_some(shift + i, rest)), rest);
        }
    }
}

// One row of the backward pass: dy becomes dz.
INLINE void layer_norm_row_backward(size_t n, const float *normalized, float inverse, const float *gain, float *dy) {
    const size_t whole = n / W * W, rest = n - whole;
    vf sum = 0, dot = 0;
    size_t i = 0;
    for (; i < whole; i += W) {
        vf g = load(dy + i) * load(gain + i);
        sum += g;
        dot = fma16(g, load(normalized + i), dot);
    }
    if (rest) {
        vf g = load_some(dy + i, rest) * load_some(gain + i, rest);
        sum += g;
        dot = fma16(g, load_some(normalized + i, rest), dot);
    }
    float mean = total(sum) / (float)n, slope = total(dot) / (float)n;
    for (i = 0; i < whole; i += W) {
        vf g = fma16(load(dy + i), load(gain + i), -mean);
        store(dy + i, inverse * fma16(load(normalized + i), -slope, g));
    }
    if (rest) {
        vf g = fma16(load_some(dy + i, rest), load_some(gain + i, rest), -mean);
        store_some(dy + i, inverse * fma16(load_some(normalized + i, rest), -slope, g), rest);
    }
}

// shift (+)= the sums of dy's columns, gain (+)= those of dy * normalized, over one block of at most APUS_SUM_ROWS
// rows. A chain of fused multiply-adds for each element of the gain. `vectors` whole vectors of columns, or one of
// `tail` columns.
INLINE void block_of_gain_and_shift(const int vectors, const size_t tail, size_t rows, size_t ld,
    const float *normalized, const float *dy, float *dgain, float *dshift, int add) {
    vf gain[4], shift[4];
    UNROLL for (int v = 0; v < vectors; v++) gain[v] = shift[v] = 0;
    for (size_t r = 0; r < rows; r++, dy += ld, normalized += ld) {
        UNROLL for (int v = 0; v < vectors; v++) {
            vf d = tail ? load_some(dy, tail) : load(dy + v * W);
            vf h = tail ? load_some(normalized, tail) : load(normalized + v * W);
            shift[v] += d;
            gain[v] = fma16(d, h, gain[v]);
        }
    }
    UNROLL for (int v = 0; v < vectors; v++) {
        if (tail) {
            store_some(dgain, add ? load_some(dgain, tail) + gain[v] : gain[v], tail);
            store_some(dshift, add ? load_some(dshift, tail) + shift[v] : shift[v], tail);
        } else {
            store(dgain + v * W, add ? load(dgain + v * W) + gain[v] : gain[v]);
            store(dshift + v * W, add ? load(dshift + v * W) + shift[v] : shift[v]);
        }
    }
}

// dshift = column sums of dy, dgain = those of dy * normalized: in each lane by blocks of rows, then the lanes in the
// order of their tree.
void VARIANT(gain_and_shift)(const apus_lanes *lanes, size_t n, size_t ld, const float *normalized, const float *dy,
    float *dgain, float *dshift) {
    enum { VECTORS = 2, WIDTH = VECTORS * W };
    for (size_t i = 0; i < n; i += WIDTH) {
        const size_t columns = n - i < WIDTH ? n - i : WIDTH;
        float gain[APUS_MOST_SUMS][WIDTH], shift[APUS_MOST_SUMS][WIDTH];
        size_t depth = 0;
        for (size_t lane = 0; lane < lanes->count; lane++, depth++) {
            const size_t begin = (size_t)lanes->first[lane], stop = (size_t)lanes->first[lane + 1];
            float *g = gain[depth], *s = shift[depth];
            for (size_t first = begin; first == begin || first < stop; first += APUS_SUM_ROWS) {
                const size_t count = stop - first < APUS_SUM_ROWS ? stop - first : APUS_SUM_ROWS;
                const float *h = normalized + first * ld + i, *d = dy + first * ld + i;
                const int add = first > begin;
                if (columns == WIDTH) {
                    block_of_gain_and_shift(VECTORS, 0, count, ld, h, d, g, s, add);
                    continue;
                }
                size_t j = 0;
                for (; j + W <= columns; j += W) block_of_gain_and_shift(1, 0, count, ld, h + j, d + j, g + j, s + j,
                    add);
                if (j < columns) block_of_gain_and_shift(1, columns - j, count, ld, h + j, d + j, g + j, s + j, add);
            }
            for (size_t join = 0; join < lanes->joins[lane]; join++, depth--) {
                VARIANT(add)(columns, gain[depth], gain[depth - 1]);
                VARIANT(add)(columns, shift[depth], shift[depth - 1]);
            }
        }
        memcpy(dgain + i, gain[0], columns * sizeof(float));
        memcpy(dshift + i, shift[0], columns * sizeof(float));
    }
}

// In: dy. Out: dy = dz, the gradient before the normalization.
void VARIANT(layer_norm_backward)(size_t rows, size_t n, const float *normalized, const float *inverse_deviation,
                                  const float *gain, float *dy) {
    for (size_t r = 0; r < rows; r++)
        layer_norm_row_backward(n, normalized + r * n, inverse_deviation[r], gain, dy + r * n);
}
