// Many rows times a map, with the rows as lanes: x stands as columns [in, stride], so that a weight is broadcast to
// vectors of rows and no sum runs across lanes. Weights are read where they are, once for all rows, while those that come
// next are fetched from memory; a number comes out the same whatever is computed with it.

// Channels of a tile: as many sums as the registers hold beside two vectors of rows and a weight.
constexpr int kTileChannels = kLanes == 16 ? 12 : 6;

// Memory that is read next: so many cache lines of it are fetched for every 16 numbers of a tile's rows.
struct Upcoming {
  const float* from;
  int64_t lines;
};

template <int kChannels, int kVectors>
LATENT_INLINE void column_tile(const float* weight, int64_t in, const float* columns, int64_t stride, float* y, bool add,
                               Upcoming next) {
  Floats sums[kChannels][kVectors] = {};
  for (int64_t first = 0; first < in; first += 16) {
    // into the second cache: the columns go through the first
    for (int64_t line = 0; line < next.lines; line++, next.from += 16) __builtin_prefetch(next.from, 0, 2);
    const int64_t last = first + 16 < in ? first + 16 : in;
    for (int64_t i = first; i < last; i++) {
      Floats x[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; v++) x[v] = load(columns + i * stride + v * kLanes);
#pragma GCC unroll 12
      for (int c = 0; c < kChannels; c++) {
        const Floats w = all(weight[c * in + i]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; v++) sums[c][v] += w * x[v];
      }
    }
  }
#pragma GCC unroll 12
  for (int c = 0; c < kChannels; c++)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) {
      float* to = y + c * stride + v * kLanes;
      store(to, add ? load(to) + sums[c][v] : sums[c][v]);
    }
}

template <int kVectors>
static void column_tiles(const float* weight, int64_t channels, int64_t in, const float* columns, int64_t stride,
                         float* y, bool add, Upcoming next) {
  constexpr Upcoming kNothing = {nullptr, 0};
  int64_t c = 0;
  if (channels == kTileChannels)
    return column_tile<kTileChannels, kVectors>(weight, in, columns, stride, y, add, next);
  for (; c + 3 <= channels; c += 3)
    column_tile<3, kVectors>(weight + c * in, in, columns, stride, y + c * stride, add, kNothing);
  for (; c < channels; c++)
    column_tile<1, kVectors>(weight + c * in, in, columns, stride, y + c * stride, add, kNothing);
}

// y [channels, stride], set or added to, of weights [channels, in] and columns [in, stride]; stride is a multiple of 16.
// Meanwhile the `next_count` numbers at `next` are fetched.
static void column_product(const float* weight, int64_t channels, int64_t in, const float* columns, int64_t stride,
                           float* y, bool add, const float* next, int64_t next_count) {
  const int64_t steps = (channels + kTileChannels - 1) / kTileChannels * ((in + 15) / 16);
  const int64_t lines = steps > 0 ? (next_count / 16 + steps / 2) / steps : 0;
  for (int64_t c = 0; c < channels; c += kTileChannels) {
    const int64_t count = channels - c < kTileChannels ? channels - c : kTileChannels;
    for (int64_t at = 0; at < stride; at += 2 * kLanes) {
      const Upcoming upcoming = {next, at == 0 ? lines : 0};
      if (at + 2 * kLanes <= stride)
        column_tiles<2>(weight + c * in, count, in, columns + at, stride, y + c * stride + at, add, upcoming);
      else
        column_tiles<1>(weight + c * in, count, in, columns + at, stride, y + c * stride + at, add, upcoming);
    }
    next += lines * ((in + 15) / 16) * 16;
  }
}

// Rows [rows, width] as columns [width, stride], with zeros beyond the rows; a unit is a block of 16 rows.
static void rows_to_columns(const float* x, int64_t rows, int64_t width, float* columns, int64_t stride, int64_t begin,
                            int64_t end) {
  for (int64_t first = begin * 16; first < end * 16; first += kLanes) {
    int64_t at = 0;
    for (; at + kLanes <= width; at += kLanes)
      transpose_block(x + first * width + at, width, rows - first, columns + at * stride + first, stride, kLanes);
    for (; at < width; at++)
      for (int64_t row = first; row < first + kLanes; row++)
        columns[at * stride + row] = row < rows ? x[row * width + at] : 0;
  }
}

// Columns [width, stride] as rows whose numbers lie `x_stride` apart; a unit is a block of 16 rows.
static void columns_to_rows(const float* columns, int64_t stride, int64_t rows, int64_t width, float* x, int64_t x_stride,
                            int64_t begin, int64_t end) {
  for (int64_t first = begin * 16; first < end * 16 && first < rows; first += kLanes) {
    int64_t at = 0;
    for (; at + kLanes <= width; at += kLanes)
      transpose_block(columns + at * stride + first, stride, kLanes, x + first * x_stride + at, x_stride, rows - first);
    for (; at < width; at++)
      for (int64_t row = first; row < first + kLanes && row < rows; row++)
        x[row * x_stride + at] = columns[at * stride + row];
  }
}

// `rms_norm` of columns [width, stride]; a unit is a block of 16 rows.
static void rms_norm_columns(const float* x, const float* weight, float epsilon, int64_t width, int64_t stride, float* y,
                             int64_t begin, int64_t end) {
  for (int64_t first = begin * 16; first < end * 16; first += kLanes) {
    Floats squares = {};
    for (int64_t i = 0; i < width; i++) {
      const Floats number = load(x + i * stride + first);
      squares += number * number;
    }
    const Floats scale = 1.0f / square_root_of(squares / (float)width + epsilon);
    for (int64_t i = 0; i < width; i++)
      store(y + i * stride + first, load(x + i * stride + first) * scale * weight[i]);
  }
}
