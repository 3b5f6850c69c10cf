// Softmax and the losses: a part of the kernels' one source.

// Whether each element of the vector that begins at column i is one of n.
INLINE vi within(size_t n, size_t i) {
    const vi lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return lane < (int32_t)(n - i);
}

// The last vector of a row of n scores, with `other` beyond them; i is its first column.
INLINE vf load_last(const float *x, size_t n, size_t i, float other) { return choose(within(n, i), load(x + i), other);
    }

// Softmax of one row, up to the factor that is returned: 1 / the sum of its elements.
INLINE float softmax_row(size_t n, size_t ld, float scale, float *x) {
    const size_t last = ld - W;
    vf most = load_last(x, n, last, -__builtin_inff());
    for (size_t i = 0; i < last; i += W) most = larger(load(x + i), most);
    float m = largest(most) * scale;
    vf sum = 0;
    for (size_t i = 0; i < last; i += W) {
        vf e = exp16(fma16(load(x + i), scale, -m));
        store(x + i, e);
        sum += e;
    }
    vf e = exp16(fma16(load_last(x, n, last, -__builtin_inff()), scale, -m));
    store(x + last, e);
    return 1.0f / total(sum + e);
}

// Rows of n scores at distance ld, a multiple of 16; columns n..<ld of the result are 0.
void VARIANT(softmax)(size_t rows, size_t n, size_t ld, float scale, float *x) {
    for (size_t r = 0; r < rows; r++, x += ld) {
        float inverse = softmax_row(n, ld, scale, x);
        for (size_t i = 0; i < ld; i += W) store(x + i, load(x + i) * inverse);
    }
}

// In: dp. Out: dp = scale * p * (dp - sum of p * dp). Rows as for softmax; columns n..<ld of p are 0 and dp's are
// ignored.
void VARIANT(softmax_backward)(size_t rows, size_t n, size_t ld, float scale, const float *p, float *dp) {
    const size_t last = ld - W;
    for (size_t r = 0; r < rows; r++, p += ld, dp += ld) {
        vf sum = 0;
        for (size_t i = 0; i < last; i += W) sum = fma16(load(p + i), load(dp + i), sum);
        sum = fma16(load(p + last), load_last(dp, n, last, 0.0f), sum);
        float dot = total(sum);
        for (size_t i = 0; i < last; i += W) store(dp + i, load(p + i) * (scale * (load(dp + i) - dot)));
        store(dp + last, load(p + last) * (scale * (load_last(dp, n, last, 0.0f) - dot)));
    }
}

// -log softmax(logits)[label]; if dlogits is given, its gradient times `scale` (in place allowed).
double VARIANT(cross_entropy)(size_t n, const float *logits, size_t label, float scale, float *dlogits) {
    float most = logits[0];
    for (size_t i = 1; i < n; i++) most = logits[i] > most ? logits[i] : most;
    vf sum = 0;
    size_t i = 0;
    for (; i + W <= n; i += W) sum += exp16(load(logits + i) - most);
    if (i < n) {
        vf e = exp16(load_some(logits + i, n - i) - most);
        for (size_t j = n - i; j < W; j++) e[j] = 0;
        sum += e;
    }
    float all = total(sum);
    double loss = apus_log((double)all) - ((double)logits[label] - (double)most);
    if (dlogits) {
        float factor = scale / all;
        FOR_VECTORS(n, store(dlogits + i, exp16(load(logits + i) - most) * factor),
                    store_some(dlogits + i, exp16(load_some(logits + i, rest) - most) * factor, rest));
        dlogits[label] -= scale;
    }
    return loss;
}

// Sum over one row's outputs of the binary cross-entropy against targets of 0 or 1, from logits:
// max(z, 0) - z y + log(1 + exp(-|z|)). The gradient is sigmoid(z) - y.
double VARIANT(binary_cross_entropy)(size_t n, const float *logits, const float *targets, float scale, float *dlogits) {
    double loss = 0;
    for (size_t i = 0; i < n; i += W) {
        size_t rest = n - i < W ? n - i : W;
        vf z = load_some(logits + i, rest), y = load_some(targets + i, rest);
        vf e = exp16(-__builtin_elementwise_abs(z));
        for (size_t j = 0; j < rest; j++) {
            double above = z[j] > 0 ? (double)z[j] : 0;
            loss += z[j] == z[j] ? above - (double)z[j] * (double)y[j] + apus_log(1 + (double)e[j]) : (double)z[j];
        }
        if (dlogits) {
            vf p = choose(z < 0.0f, e, 1.0f) / (1.0f + e);
            store_some(dlogits + i, choose(z == z, (p - y) * scale, z), rest);
        }
    }
    return loss;
}
