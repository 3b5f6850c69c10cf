// Functions of one number in double precision, made only of additions, multiplications and divisions: each of these is
// rounded as IEEE 754 says, so the results have the same bits on every processor and with every C library.
#include <string.h>
#include "vector_math.h"

#pragma STDC FP_CONTRACT OFF

static double of_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// x = 2^k m with m in [sqrt 1/2, sqrt 2); log m = 2 atanh(s), s = (m - 1) / (m + 1). Infinity and NaN are returned as
// they are.
double apus_log(double x) {
    if (!(x < __builtin_inf())) return x;
    uint64_t bits = bits_of(x);
    int k = (int)((bits >> 52) & 0x7ff) - 1023;
    double m = of_bits((bits & 0xfffffffffffffull) | 0x3ff0000000000000ull);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        k += 1;
    }
    double s = (m - 1.0) / (m + 1.0), q = s * s, sum = 0.0;
    for (int i = 23; i >= 1; i -= 2) sum = sum * q + 1.0 / i;
    return k * 0.6931471805599453 + 2.0 * s * sum;
}

// x = k ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts of which the first has few enough bits for k ln 2 to be exact;
// then the power series of exp r, whose 14th term is below 2^-56.
double apus_exponential(double x) {
    if (x != x) return x;
    if (x > 709.782712893384) return __builtin_inf();
    if (x < -745.2) return 0.0;
    const double shift = 0x1.8p52;  // adding and subtracting it rounds to the nearest integer
    double k = (x * 1.4426950408889634 + shift) - shift;
    double r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
    double sum = 1.0;
    for (int i = 14; i >= 1; i--) sum = 1.0 + sum * r / i;
    // In two factors, since 2^k alone may be beyond the range of normal numbers.
    int half = (int)k / 2, other = (int)k - half;
    return sum * of_bits((uint64_t)(half + 1023) << 52) * of_bits((uint64_t)(other + 1023) << 52);
}

double apus_power(double x, uint64_t n) {
    double result = 1.0;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1) result *= x;
    return result;
}

// Power series at |y| <= pi / 4.
static double series(double y, int odd) {
    double q = y * y, sum = 1.0;
    for (int i = 20 + odd; i >= 2; i -= 2) sum = 1.0 - sum * q / (double)(i * (i - 1));
    return odd ? y * sum : sum;
}

// By period and symmetry x is brought into [0, 1/4], without rounding.
double apus_cosine_of_pi(double x) {
    double a = __builtin_fabs(x);
    if (!(a < 0x1p53)) return a < __builtin_inf() ? 1.0 : __builtin_nan("");  // beyond 2^53 every number is even
    a -= 2.0 * (double)(int64_t)(a * 0.5);
    if (a > 1.0) a = 2.0 - a;
    const int negative = a > 0.5;
    if (negative) a = 1.0 - a;
    const double pi = 3.141592653589793;
    double c = a <= 0.25 ? series(pi * a, 0) : series(pi * (0.5 - a), 1);
    return negative ? -c : c;
}
