// Layer norm with the residual and dropout before it: a part of the kernels' one source.

// z = dropout(x + bias) + residual; x = (z - mean) / deviation; y = x * gain + shift.
// bias, bits, residual and residual_rows may be null; residual row of row r is residual_rows[r] where given.
void VARIANT(layer_norm)(size_t rows, size_t n, const float *bias, const uint16_t *bits, float scale, const float *residual,
                         const int32_t *residual_rows, const float *gain, const float *shift, float epsilon, float *x, float *y,
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

// In: dy. Out: dy = dz, the gradient before the normalization; dgain and dshift are column sums.
void VARIANT(layer_norm_backward)(size_t rows, size_t n, const float *normalized, const float *inverse_deviation,
                                  const float *gain, float *dy, float *dgain, float *dshift) {
    memset(dgain, 0, n * sizeof(float));
    memset(dshift, 0, n * sizeof(float));
    size_t whole = n / W * W, rest = n - whole;
    for (size_t r = 0; r < rows; r++, dy += n, normalized += n) {
        vf sum = 0, dot = 0;
        size_t i = 0;
        for (; i < whole; i += W) {
            vf d = load(dy + i), h = load(normalized + i);
            store(dshift + i, load(dshift + i) + d);
            store(dgain + i, fma16(d, h, load(dgain + i)));
            vf g = d * load(gain + i);
            sum += g;
            dot = fma16(g, h, dot);
        }
        if (rest) {
            vf d = load_some(dy + i, rest), h = load_some(normalized + i, rest);
            store_some(dshift + i, load_some(dshift + i, rest) + d, rest);
            store_some(dgain + i, fma16(d, h, load_some(dgain + i, rest)), rest);
            vf g = d * load_some(gain + i, rest);
            sum += g;
            dot = fma16(g, h, dot);
        }
        float mean = total(sum) / (float)n, slope = total(dot) / (float)n, inverse = inverse_deviation[r];
        for (i = 0; i < whole; i += W) {
            vf g = fma16(load(dy + i), load(gain + i), -mean);
            store(dy + i, inverse * fma16(load(normalized + i), -slope, g));
        }
        if (rest) {
            vf g = fma16(load_some(dy + i, rest), load_some(gain + i, rest), -mean);
            store_some(dy + i, inverse * fma16(load_some(normalized + i, rest), -slope, g), rest);
        }
    }
}
