// Rows times a map whose weights are numbers of float32, bfloat16 or int8: few rows, so that reading the weights is what
// takes the time. Every weight is read once for up to four rows; a number comes out the same whatever is computed with it.

typedef uint16_t Halves __attribute__((vector_size(LATENT_VECTOR_BYTES / 2)));
typedef int8_t Bytes __attribute__((vector_size(LATENT_VECTOR_BYTES / 4)));

// kLanes weights of a packed row from number `at` on; of the last ones `lanes`, then zeros.
template <WeightFormat kFormat>
LATENT_INLINE Floats packed_lanes(const float* row, int64_t at, int64_t lanes) {
  if constexpr (kFormat == WeightFormat::kFloat32) return load_lanes(row + at, lanes);
  if constexpr (kFormat == WeightFormat::kBfloat16) {
    Halves halves = {};
    const char* from = (const char*)row + 2 * at;
    if (lanes == kLanes)
      memcpy(&halves, from, sizeof halves);
    else
      memcpy(&halves, from, 2 * lanes);
    return number_of(__builtin_convertvector(halves, Ints) << 16);
  }
  if constexpr (kFormat == WeightFormat::kInt8) {
    Bytes bytes = {};
    const char* from = (const char*)(row + 1) + at;
    if (lanes == kLanes)
      memcpy(&bytes, from, sizeof bytes);
    else
      memcpy(&bytes, from, lanes);
    return __builtin_convertvector(__builtin_convertvector(bytes, Ints), Floats);
  }
}

template <WeightFormat kFormat, int kRows, int kChannels>
LATENT_INLINE void packed_tile(const PackedMap& map, const float* x, int64_t x_stride, float* y, int64_t y_stride,
                               bool add, int64_t channel, int64_t count) {
  const float* weights[kChannels];
  const int64_t words = map.words_per_row();
#pragma GCC unroll 8
  for (int c = 0; c < kChannels; c++) weights[c] = map.words + (channel + (c < count ? c : count - 1)) * words;
  Floats sums[kRows][kChannels] = {};
  each_vector(0, map.in, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
    Floats left[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; r++) left[r] = load_lanes(x + r * x_stride + at, lanes);
#pragma GCC unroll 8
    for (int c = 0; c < kChannels; c++) {
      const Floats weight = packed_lanes<kFormat>(weights[c], at, lanes);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; r++) sums[r][c] += weight * left[r];
    }
  });
#pragma GCC unroll 8
  for (int c = 0; c < kChannels; c++) {
    if (c >= count) break;
    const float scale = kFormat == WeightFormat::kInt8 ? weights[c][0] : 1.0f;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; r++) {
      float* to = y + r * y_stride + channel + c;
      const float value = sum(sums[r][c]) * scale;
      *to = add ? *to + value : value;
    }
  }
}

template <WeightFormat kFormat>
static void packed_rows_of(const PackedMap& map, const float* x, int64_t rows, float* y, bool add, int64_t begin,
                           int64_t end) {
  constexpr int kChannels = 4, kAlone = 8;
  const int64_t in = map.in, out = map.out;
  if (rows == 1) {
    for (int64_t c = begin; c < end; c += kAlone)
      packed_tile<kFormat, 1, kAlone>(map, x, in, y, out, add, c, end - c < kAlone ? end - c : kAlone);
    return;
  }
  for (int64_t c = begin; c < end; c += kChannels) {
    const int64_t count = end - c < kChannels ? end - c : kChannels;
    int64_t row = 0;
    for (; row + 4 <= rows; row += 4)
      packed_tile<kFormat, 4, kChannels>(map, x + row * in, in, y + row * out, out, add, c, count);
    for (; row + 2 <= rows; row += 2)
      packed_tile<kFormat, 2, kChannels>(map, x + row * in, in, y + row * out, out, add, c, count);
    if (row < rows) packed_tile<kFormat, 1, kChannels>(map, x + row * in, in, y + row * out, out, add, c, count);
  }
}

static void packed_rows(const PackedMap& map, const float* x, int64_t rows, float* y, bool add, int64_t begin,
                        int64_t end) {
  if (map.format == WeightFormat::kFloat32)
    return packed_rows_of<WeightFormat::kFloat32>(map, x, rows, y, add, begin, end);
  if (map.format == WeightFormat::kBfloat16)
    return packed_rows_of<WeightFormat::kBfloat16>(map, x, rows, y, add, begin, end);
  packed_rows_of<WeightFormat::kInt8>(map, x, rows, y, add, begin, end);
}

// Nearest bfloat16, ties to even; int8 is symmetric, its scale the row's largest magnitude / 127.
static void pack_rows(const float* weight, const PackedMap& map, float* words, int64_t begin, int64_t end) {
  const int64_t per_row = map.words_per_row();
  for (int64_t row = begin; row < end; row++) {
    const float* from = weight + row * map.in;
    float* to = words + row * per_row;
    memset(to, 0, per_row * sizeof(float));
    if (map.format == WeightFormat::kFloat32) memcpy(to, from, map.in * sizeof(float));
    if (map.format == WeightFormat::kBfloat16) {
      for (int64_t i = 0; i < map.in; i++) {
        uint32_t bits;
        memcpy(&bits, from + i, sizeof bits);
        const uint16_t half = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
        memcpy((char*)to + 2 * i, &half, sizeof half);
      }
    }
    if (map.format == WeightFormat::kInt8) {
      float top = 0;
      for (int64_t i = 0; i < map.in; i++) top = fabsf(from[i]) > top ? fabsf(from[i]) : top;
      const float inverse = top > 0 ? 127 / top : 0;
      to[0] = top / 127;
      int8_t* bytes = (int8_t*)(to + 1);
      for (int64_t i = 0; i < map.in; i++) bytes[i] = (int8_t)lrintf(from[i] * inverse);
    }
  }
}
