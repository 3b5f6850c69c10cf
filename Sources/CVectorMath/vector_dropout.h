// Keep bits and dropout: a part of the kernels' one source.

// The upper and lower halves of 32 x 32 bit products; even and odd lanes separately, as the processor multiplies them.
INLINE void multiply_wide(vu x, uint32_t factor, vu *high, vu *low) {
    const vu64 mask = 0xffffffffu;
    vu64 v, h, l;
    memcpy(&v, &x, sizeof v);
    vu64 even = (v & mask) * (uint64_t)factor, odd = (v >> 32) * (uint64_t)factor;
    h = (even >> 32) | (odd & ~mask);
    l = (even & mask) | (odd << 32);
    memcpy(high, &h, sizeof h);
    memcpy(low, &l, sizeof l);
}

INLINE uint16_t mask_of(vi condition) {
    vb b = __builtin_convertvector(condition, vb);
    uint16_t m;
    memcpy(&m, &b, sizeof m);
    return m;
}

INLINE vi lanes_of(uint16_t mask) {
    const vi bit = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
    return ((vi)(int32_t)mask & bit) != 0;
}

// One keep bit per element, sixteen elements per word. Philox4x32-10 (Salmon et al. 2011) with the block's number in
// the first counter word; each of a block's four 32-bit outputs serves two elements, sixteen bits each. A bit is set,
// and the element kept, when its sixteen bits are not below `threshold`. Words first ..< first + words are written.
void VARIANT(dropout_bits)(size_t first, size_t words, uint64_t key, const uint32_t counter[3], uint32_t threshold,
    uint16_t *bits) {
    const vu step = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const size_t end = first + words;
    for (size_t w = first / 8 * 8; w < end; w += 8) {
        vu c0 = step + (uint32_t)(w * 2), c1 = counter[0], c2 = counter[1], c3 = counter[2];
        uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
        for (int round = 0; round < 10; round++) {
            vu h0, l0, h1, l1;
            multiply_wide(c0, 0xD2511F53u, &h0, &l0);
            multiply_wide(c2, 0xCD9E8D57u, &h1, &l1);
            c0 = h1 ^ c1 ^ k0;
            c1 = l1;
            c2 = h0 ^ c3 ^ k1;
            c3 = l0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        uint16_t out[8];
        vu word[4] = {c0, c1, c2, c3};
        for (int j = 0; j < 4; j++) {
            out[2 * j] = mask_of((word[j] & 0xffffu) >= threshold);
            out[2 * j + 1] = mask_of((word[j] >> 16) >= threshold);
        }
        size_t from = w < first ? first : w, to = w + 8 < end ? w + 8 : end;
        memcpy(bits + (from - first), out + (from - w), (to - from) * sizeof(uint16_t));
    }
}

// y = x * scale if the bit is set, else 0. Each row has ceil(n / 16) words.
void VARIANT(dropout)(size_t rows, size_t n, size_t ld, const uint16_t *bits, float scale, const float *x, float *y) {
    size_t words = (n + W - 1) / W;
    for (size_t r = 0; r < rows; r++, x += ld, y += ld, bits += words)
        FOR_VECTORS(n, store(y + i, choose(lanes_of(bits[i / W]), load(x + i) * scale, 0.0f)),
                    store_some(y + i, choose(lanes_of(bits[i / W]), load_some(x + i, rest) * scale, 0.0f), rest));
}
