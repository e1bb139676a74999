// Rows times a map whose weights are numbers of float32, bfloat16 or int8: few rows, so that reading the weights is what
// takes the time. Every weight is read once for up to four rows; a number comes out the same whatever is computed with it.

// Packed weights stand in blocks of 16 words: word j of a block of bfloat16 holds numbers j and 16 + j, one of int8
// numbers j, 16 + j, 32 + j and 48 + j, lowest bits first, so that vectors of words become vectors of numbers by shifts.

template <WeightFormat kFormat>
constexpr int kPerWord = 32 / (int)kFormat;

// Part `part` of words.
template <WeightFormat kFormat>
LATENT_INLINE Floats unpacked(Ints words, int part) {
  if constexpr (kFormat == WeightFormat::kBfloat16) return number_of(part == 0 ? words << 16 : words & (int32_t)0xffff0000);
  return __builtin_convertvector((words << (24 - 8 * part)) >> 24, Floats);
}

// Calls body(at, lanes, first, part) for the vectors of a row: numbers [at, at + lanes) are part `part` of the words
// from `first` on.
template <WeightFormat kFormat, typename Body>
LATENT_INLINE void each_packed(int64_t in, Body body) {
  if constexpr (kFormat == WeightFormat::kFloat32) {
    each_vector(0, in, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) { body(at, lanes, at, 0); });
  } else {
    constexpr int kParts = kPerWord<kFormat>, kBlock = kBlockWords * kParts;
    int64_t start = 0, first = 0;
    for (; start + kBlock <= in; start += kBlock, first += kBlockWords)
#pragma GCC unroll 4
      for (int v = 0; v < kBlockWords; v += kLanes)
#pragma GCC unroll 4
        for (int part = 0; part < kParts; part++)
          body(start + part * kBlockWords + v, (int64_t)kLanes, first + v, part);
    for (int v = 0; v < kBlockWords; v += kLanes)
      for (int part = 0; part < kParts; part++) {
        const int64_t at = start + part * kBlockWords + v;
        if (at < in) body(at, in - at < kLanes ? in - at : (int64_t)kLanes, first + v, part);
      }
  }
}

template <WeightFormat kFormat>
LATENT_INLINE Floats packed_lanes(const float* row, int64_t first, int part, int64_t lanes) {
  if constexpr (kFormat == WeightFormat::kFloat32) return load_lanes(row + first, lanes);
  return unpacked<kFormat>(bits_of(load(row + first)), part);
}

template <WeightFormat kFormat>
LATENT_INLINE float scale_of(const PackedMap& map, const float* row) {
  return kFormat == WeightFormat::kInt8 ? row[map.words_per_row() - 1] : 1.0f;
}

// A tile that stays in the first cache until it is read.
constexpr int64_t kAheadNumbers = 8192;

template <WeightFormat kFormat, int kRows, int kChannels>
LATENT_INLINE void packed_tile(const PackedMap& map, const float* x, int64_t x_stride, float* y, int64_t y_stride,
                               bool add, int64_t channel, int64_t count) {
  const float* weights[kChannels];
  const int64_t words = map.words_per_row();
  // the next tile's weights are fetched meanwhile: the processor itself does so for long rows only
  const int64_t ahead = kChannels * words <= kAheadNumbers ? kChannels * words : 0;
#pragma GCC unroll 8
  for (int c = 0; c < kChannels; c++) weights[c] = map.words + (channel + (c < count ? c : count - 1)) * words;
  Floats sums[kRows][kChannels] = {};
  each_packed<kFormat>(map.in, [&](int64_t at, int64_t lanes, int64_t first, int part) __attribute__((always_inline)) {
    Floats left[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; r++) left[r] = load_lanes(x + r * x_stride + at, lanes);
#pragma GCC unroll 8
    for (int c = 0; c < kChannels; c++) {
      if (part == 0) __builtin_prefetch(weights[c] + first + ahead);
      const Floats weight = packed_lanes<kFormat>(weights[c], first, part, lanes);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; r++) sums[r][c] += weight * left[r];
    }
  });
#pragma GCC unroll 8
  for (int c = 0; c < kChannels; c++) {
    if (c >= count) break;
    const float scale = scale_of<kFormat>(map, weights[c]);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; r++) {
      float* to = y + r * y_stride + channel + c;
      // rounded once, in a tile of fewer channels too, which the compiler makes other code of
      *to = __builtin_fmaf(sum(sums[r][c]), scale, add ? *to : 0.0f);
    }
  }
}

template <WeightFormat kFormat>
static void packed_rows_of(const PackedMap& map, const float* x, int64_t rows, float* y, bool add, int64_t begin,
                           int64_t end) {
  constexpr int kChannels = 4, kAlone = 8;
  const int64_t in = map.in, out = map.out;
  if (rows == 1) {
    const float* first = map.words + begin * map.words_per_row();
    const int64_t count = (end - begin < kAlone ? end - begin : kAlone) * map.words_per_row();
    if (count <= kAheadNumbers)
      for (int64_t i = 0; i < count; i += 16) __builtin_prefetch(first + i);
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

template <WeightFormat kFormat>
static void unpack_rows_of(const PackedMap& map, float* weight, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; row++) {
    const float* from = map.words + row * map.words_per_row();
    float* to = weight + (row - begin) * map.in;
    const float scale = scale_of<kFormat>(map, from);
    each_packed<kFormat>(map.in, [&](int64_t at, int64_t lanes, int64_t first, int part) __attribute__((always_inline)) {
      store_lanes(to + at, packed_lanes<kFormat>(from, first, part, lanes) * scale, lanes);
    });
  }
}

static void unpack_rows(const PackedMap& map, float* weight, int64_t begin, int64_t end) {
  if (map.format == WeightFormat::kFloat32) return unpack_rows_of<WeightFormat::kFloat32>(map, weight, begin, end);
  if (map.format == WeightFormat::kBfloat16) return unpack_rows_of<WeightFormat::kBfloat16>(map, weight, begin, end);
  unpack_rows_of<WeightFormat::kInt8>(map, weight, begin, end);
}

// Nearest bfloat16, ties to even; int8 is symmetric, its scale the row's largest magnitude / 127.
static void pack_rows(const float* weight, const PackedMap& map, float* words, int64_t begin, int64_t end) {
  const int64_t per_row = map.words_per_row();
  for (int64_t row = begin; row < end; row++) {
    const float* from = weight + row * map.in;
    float* to = words + row * per_row;
    if (map.format == WeightFormat::kFloat32) {
      memcpy(to, from, map.in * sizeof(float));
      continue;
    }
    memset(to, 0, per_row * sizeof(float));
    float top = 0;
    for (int64_t i = 0; i < map.in; i++) top = fabsf(from[i]) > top ? fabsf(from[i]) : top;
    const float inverse = top > 0 ? 127 / top : 0;
    const int parts = 32 / (int)map.format, block = kBlockWords * parts;
    for (int64_t i = 0; i < map.in; i++) {
      uint32_t bits, word;
      memcpy(&bits, from + i, sizeof bits);
      if (map.format == WeightFormat::kBfloat16)
        bits = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
      else
        bits = (uint32_t)lrintf(from[i] * inverse) & 0xff;
      float* in_word = to + i / block * kBlockWords + i % kBlockWords;
      memcpy(&word, in_word, sizeof word);
      word |= bits << (i % block / kBlockWords * (int)map.format);
      memcpy(in_word, &word, sizeof word);
    }
    if (map.format == WeightFormat::kInt8) to[per_row - 1] = top / 127;
  }
}
