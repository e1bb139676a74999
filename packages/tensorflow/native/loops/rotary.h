// Half-split rotary positions (Su et al. 2021): y = x cosine + turn (x with its halves exchanged) sine. The sine's
// first half holds the negated sines.

LATENT_INLINE void rotate_half(const float* x, const float* cosine, const float* sine, float turn, int64_t half,
                               float* y) {
  for (int64_t i = 0; i < half; i++) {
    y[i] = x[i] * cosine[i] + x[i + half] * (sine[i] * turn);
    y[i + half] = x[i + half] * cosine[i + half] + x[i] * (sine[i + half] * turn);
  }
}

template <int64_t kHalf>
static void rotate(const float* __restrict x, const float* __restrict cosine, const float* __restrict sine, float turn,
                   int64_t heads, int64_t half, float* __restrict y, int64_t begin, int64_t end) {
  const int64_t length = kHalf > 0 ? kHalf : half;
  for (int64_t position = begin; position < end; position++) {
    const float *c = cosine + position * 2 * length, *s = sine + position * 2 * length;
    for (int64_t head = 0; head < heads; head++) {
      const int64_t at = (position * heads + head) * 2 * length;
      rotate_half(x + at, c, s, turn, length, y + at);
    }
  }
}

static void rotary(const float* x, const float* cosine, const float* sine, float turn, int64_t heads, int64_t width,
                   float* y, int64_t begin, int64_t end) {
  const int64_t half = width / 2;
  // the usual widths with loops of known length
  if (half == 8) return rotate<8>(x, cosine, sine, turn, heads, half, y, begin, end);
  if (half == 16) return rotate<16>(x, cosine, sine, turn, heads, half, y, begin, end);
  if (half == 32) return rotate<32>(x, cosine, sine, turn, heads, half, y, begin, end);
  if (half == 64) return rotate<64>(x, cosine, sine, turn, heads, half, y, begin, end);
  rotate<0>(x, cosine, sine, turn, heads, half, y, begin, end);
}
