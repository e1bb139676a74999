// Vectors of kLanes numbers in the compiler's own vector types, and the functions that the loops need on them.

constexpr int kLanes = LATENT_VECTOR_BYTES / 4;
typedef float Floats __attribute__((vector_size(LATENT_VECTOR_BYTES)));
typedef int32_t Ints __attribute__((vector_size(LATENT_VECTOR_BYTES)));

#define LATENT_INLINE static inline __attribute__((always_inline))

LATENT_INLINE Floats load(const float* from) {
  Floats x;
  memcpy(&x, from, sizeof x);
  return x;
}
LATENT_INLINE void store(float* to, Floats x) { memcpy(to, &x, sizeof x); }

// The first `count` lanes; the others are 0.
LATENT_INLINE Floats load_part(const float* from, int64_t count) {
  Floats x = {};
  memcpy(&x, from, count * sizeof(float));
  return x;
}
LATENT_INLINE void store_part(float* to, Floats x, int64_t count) { memcpy(to, &x, count * sizeof(float)); }

LATENT_INLINE Floats all(float x) { return x - Floats{}; }
LATENT_INLINE Floats larger(Floats a, Floats b) { return a > b ? a : b; }
LATENT_INLINE Ints bits_of(Floats x) { return (Ints)x; }
LATENT_INLINE Floats number_of(Ints bits) { return (Floats)bits; }

// Lane numbers that are constants at compile time: a loop that fills them would run.
template <int... I>
LATENT_INLINE Ints lane_numbers_of(std::integer_sequence<int, I...>) {
  return Ints{I...};
}
LATENT_INLINE Ints lane_numbers() { return lane_numbers_of(std::make_integer_sequence<int, kLanes>()); }

// Lane i and lane i + step change places, so that a few steps bring every lane together.
template <int kStep, int... I>
LATENT_INLINE Floats exchanged(Floats x, std::integer_sequence<int, I...>) {
  return __builtin_shuffle(x, Ints{(I ^ kStep)...});
}
template <int kStep = kLanes / 2>
LATENT_INLINE float sum(Floats x) {
  x += exchanged<kStep>(x, std::make_integer_sequence<int, kLanes>());
  if constexpr (kStep > 1) return sum<kStep / 2>(x);
  return x[0];
}
template <int kStep = kLanes / 2>
LATENT_INLINE float largest(Floats x) {
  x = larger(x, exchanged<kStep>(x, std::make_integer_sequence<int, kLanes>()));
  if constexpr (kStep > 1) return largest<kStep / 2>(x);
  return x[0];
}

// Two rows exchange the blocks of kStep lanes that lie off their diagonal.
template <int kStep, int... I>
LATENT_INLINE void exchange_blocks(Floats& first, Floats& second, std::integer_sequence<int, I...>) {
  const Floats upper = __builtin_shuffle(first, second, Ints{(I & kStep ? kLanes + I - kStep : I)...});
  second = __builtin_shuffle(first, second, Ints{(I & kStep ? kLanes + I : I + kStep)...});
  first = upper;
}
template <int kStep = 1>
LATENT_INLINE void transpose(Floats* rows) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; i++)
    if (!(i & kStep)) exchange_blocks<kStep>(rows[i], rows[i + kStep], std::make_integer_sequence<int, kLanes>());
  if constexpr (2 * kStep < kLanes) transpose<2 * kStep>(rows);
}

// A block of kLanes rows becomes its transpose; only `from_rows` rows are read (zeros follow), `to_rows` written.
LATENT_INLINE void transpose_block(const float* from, int64_t from_stride, int64_t from_rows, float* to,
                                   int64_t to_stride, int64_t to_rows) {
  Floats rows[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; i++) rows[i] = i < from_rows ? load(from + i * from_stride) : Floats{};
  transpose(rows);
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; i++)
    if (i < to_rows) store(to + i * to_stride, rows[i]);
}

constexpr float kLog2E = 1.44269504088896341f;
constexpr float kLn2 = 0.69314718055994531f;

// 2^n for whole numbers n within [-126, 127], n + kRounding given: the bits of the sum hold n.
constexpr float kRounding = 12582912.0f;  // 1.5 * 2^23
constexpr int32_t kRoundingBits = 0x4b400000;
LATENT_INLINE Floats power_of_two(Floats rounded) {
  return number_of((bits_of(rounded) - kRoundingBits + 127) << 23);
}

// 2^x for x <= 127, with 0 below 2^-126; relative error 2e-7 (polynomial of Cephes' exp2f).
LATENT_INLINE Floats exp2_of(Floats x) {
  const Floats kept = larger(x, all(-126.0f));
  const Floats rounded = kept + kRounding;
  const Floats rest = x - (rounded - kRounding);  // of x itself, so that a NaN stays one
  Floats p = all(1.535336188319500e-4f);
  p = p * rest + 1.339887440266574e-3f;
  p = p * rest + 9.618437357674640e-3f;
  p = p * rest + 5.550332471162809e-2f;
  p = p * rest + 2.402264791363012e-1f;
  p = p * rest + 6.931472028550421e-1f;
  p = p * rest + 1.0f;
  return x < all(-126.0f) ? Floats{} : p * power_of_two(rounded);
}

// e^x for x <= 88, with 0 below e^-87; relative error 2e-7 (polynomial of Cephes' expf).
LATENT_INLINE Floats exp_of(Floats x) {
  const Floats kept = larger(x, all(-87.0f));
  const Floats rounded = kept * kLog2E + kRounding;
  const Floats whole = rounded - kRounding;
  const Floats rest = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
  Floats p = all(1.9875691500e-4f);
  p = p * rest + 1.3981999507e-3f;
  p = p * rest + 8.3334519073e-3f;
  p = p * rest + 4.1665795894e-2f;
  p = p * rest + 1.6666665459e-1f;
  p = p * rest + 5.0000001201e-1f;
  p = p * (rest * rest) + rest + 1.0f;
  return x < all(-87.0f) ? Floats{} : p * power_of_two(rounded);
}

// Natural logarithm of normal positive numbers; relative error 2e-7 (polynomial of Cephes' logf).
LATENT_INLINE Floats log_of(Floats x) {
  // x = m 2^e with m within [sqrt(1/2), sqrt(2))
  const Ints shifted = bits_of(x) - 0x3f3504f3;
  const Ints exponent = shifted >> 23;
  const Floats m = number_of((shifted & 0x007fffff) + 0x3f3504f3) - 1.0f;
  const Floats e = __builtin_convertvector(exponent, Floats);
  Floats p = all(7.0376836292e-2f);
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const Floats square = m * m;
  const Floats log_m = m + (p * m * square + e * -2.12194440e-4f - square * 0.5f);
  return log_m + e * 0.693359375f;
}

// 1 / (1 + e^-x), from the exponential that does not overflow.
LATENT_INLINE Floats sigmoid_of(Floats x) {
  const Floats small = exp_of(x < Floats{} ? x : -x);
  const Floats one = all(1.0f);
  return (x < Floats{} ? small : one) / (one + small);
}
