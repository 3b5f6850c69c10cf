// Activation functions and their derivatives: a part of the kernels' one source.

// Value and derivative of an activation function.
typedef struct { vf value, slope; } activation;

// x * cdf(x) with cdf(-|x|) = exp(-x^2/2) P(t) / 2, t = 1 / (1 + 0.35 |x| / sqrt 2): one exponential serves the
// function and its derivative cdf(x) + x pdf(x). P is a polynomial fitted to erfc(z) exp(z^2), relative error below
// 4e-7.
INLINE activation gelu16(vf x) {
    vf a = __builtin_elementwise_abs(x);
    vf e = exp16(-0.5f * x * x);
    vf t = 1.0f / fma16(a, 0.247487373f, 1.0f);
    vf p = fma16(t, 0.04462669417262077f, -0.2848717272281647f);
    p = fma16(p, t, 0.5770506858825684f);
    p = fma16(p, t, -0.4012121558189392f);
    p = fma16(p, t, 0.3999963402748108f);
    p = fma16(p, t, 0.06623071432113647f);
    p = fma16(p, t, 0.2055024802684784f);
    p = fma16(p, t, 0.19509132206439972f);
    p = fma16(p, t, 0.1975855827331543f);
    vf tail = 0.5f * e * (p * t);
    vf cdf = choose(x < 0.0f, tail, 1.0f - tail);
    activation r;
    r.value = x * cdf;
    r.slope = fma16(x * 0.398942280f, e, cdf);
    return r;
}

INLINE activation gelu_tanh16(vf x) {
    vf s = x * x;
    vf inner = 0.797884561f * fma16(0.044715f * s, x, x);
    vf t = tanh16(inner);
    vf half = 0.5f * (1.0f + t);
    vf inner_slope = 0.797884561f * fma16(0.134145f, s, 1.0f);
    activation r;
    r.value = x * half;
    r.slope = fma16(0.5f * x * fma16(-t, t, 1.0f), inner_slope, half);
    return r;
}

INLINE activation relu16(vf x) {
    activation r;
    r.value = choose(x > 0.0f, x, choose(x != x, x, 0.0f));
    r.slope = choose(x > 0.0f, 1.0f, 0.0f);
    return r;
}

INLINE activation activate(int kind, vf x) {
    return kind == APUS_GELU ? gelu16(x) : kind == APUS_GELU_TANH ? gelu_tanh16(x) : relu16(x);
}

void VARIANT(exp)(size_t n, const float *x, float *y) {
    FOR_VECTORS(n, store(y + i, exp16(load(x + i))), store_some(y + i, exp16(load_some(x + i, rest)), rest));
}

void VARIANT(tanh)(size_t n, const float *x, float *y) {
    FOR_VECTORS(n, store(y + i, tanh16(load(x + i))), store_some(y + i, tanh16(load_some(x + i, rest)), rest));
}

void VARIANT(bias_tanh)(size_t rows, size_t n, const float *bias, float *x) {
    for (size_t r = 0; r < rows; r++, x += n)
        FOR_VECTORS(n, store(x + i, tanh16(load(x + i) + load(bias + i))),
                    store_some(x + i, tanh16(load_some(x + i, rest) + load_some(bias + i, rest)), rest));
}

void VARIANT(tanh_backward)(size_t n, const float *y, float *dy) {
#define SLOPE(d, t) ((d) * fma16(-(t), (t), 1.0f))
    FOR_VECTORS(n, store(dy + i, SLOPE(load(dy + i), load(y + i))),
                store_some(dy + i, SLOPE(load_some(dy + i, rest), load_some(y + i, rest)), rest));
#undef SLOPE
}

INLINE void bias_activation_rows(int kind, size_t rows, size_t n, const float *bias, float *x, float *y) {
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        size_t i = 0;
        for (; i + W <= n; i += W) {
            activation a = activate(kind, load(x + i) + load(bias + i));
            store(y + i, a.value);
            store(x + i, a.slope);
        }
        if (i < n) {
            activation a = activate(kind, load_some(x + i, n - i) + load_some(bias + i, n - i));
            store_some(y + i, a.value, n - i);
            store_some(x + i, a.slope, n - i);
        }
    }
}

// y = f(x + bias); x = f'(x + bias), which is all that the backward pass needs.
void VARIANT(bias_activation)(int kind, size_t rows, size_t n, const float *bias, float *x, float *y) {
    if (kind == APUS_GELU) bias_activation_rows(APUS_GELU, rows, n, bias, x, y);
    else if (kind == APUS_GELU_TANH) bias_activation_rows(APUS_GELU_TANH, rows, n, bias, x, y);
    else bias_activation_rows(APUS_RELU, rows, n, bias, x, y);
}

void VARIANT(add_bias)(size_t rows, size_t n, size_t ld, const float *bias, float *x) {
    for (size_t r = 0; r < rows; r++, x += ld) {
        size_t i = 0;
        for (; i + W <= n; i += W) store(x + i, load(x + i) + load(bias + i));
        for (; i < n; i++) x[i] += bias[i];
    }
}
