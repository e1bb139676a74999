// Attention over key ranges, softmax(q k^T / sqrt(d) over the visible keys) v, by a streaming softmax
// (Milakov and Gimelshein 2018; Dao et al. 2022): keys are visited in tiles, only those that some query of a block
// sees, and no score outlives its chunk of tiles.

constexpr int kTilesPerChunk = 16;         // tiles between two corrections of the running maximum
constexpr int64_t kRowsPerUnit = 256;      // query rows of one unit of work
constexpr float kHidden = -1e30f;          // score of a key that is not visible
constexpr float kNothingSeen = -1e29f;     // running maximum before the first visible key

// to = from * factor.
LATENT_INLINE void scale_into(const float* from, int64_t width, float factor, float* to) {
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) store(to + i, load(from + i) * factor);
  for (; i < width; i++) to[i] = from[i] * factor;
}

// Dot products of R rows [R, d] with V vectors of the columns from `first` on.
template <int R, int V>
LATENT_INLINE void tile_products(const float* rows, const float* columns, int64_t width, int64_t first,
                                 Floats (*products)[V]) {
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) products[r][v] = Floats{};
  const float* column = columns + first * width;
  for (int64_t i = 0; i < width; i++, column += kLanes) {
    Floats key[V];
    for (int v = 0; v < V; v++) key[v] = load(column + v * width * kLanes);
    for (int r = 0; r < R; r++) {
      const Floats x = all(rows[r * width + i]);
      for (int v = 0; v < V; v++) products[r][v] += x * key[v];
    }
  }
}

// Adds sum_j weights[r][j] rows[j] to R totals of V vectors.
template <int R, int V>
LATENT_INLINE void add_rows(const float* weights, int64_t weight_stride, const float* rows, int64_t row_stride,
                            int64_t count, Floats (*total)[V]) {
  int64_t j = 0;
  if constexpr (V == 1) {
    // few sums would wait for themselves: every other row goes to sums of its own
    Floats other[R] = {};
    for (; j + 2 <= count; j += 2, rows += 2 * row_stride) {
      const Floats even = load(rows), odd = load(rows + row_stride);
      for (int r = 0; r < R; r++) {
        total[r][0] += all(weights[r * weight_stride + j]) * even;
        other[r] += all(weights[r * weight_stride + j + 1]) * odd;
      }
    }
    for (int r = 0; r < R; r++) total[r][0] += other[r];
  }
  for (; j < count; j++, rows += row_stride) {
    Floats row[V];
    for (int v = 0; v < V; v++) row[v] = load(rows + v * kLanes);
    for (int r = 0; r < R; r++) {
      const Floats w = all(weights[r * weight_stride + j]);
      for (int v = 0; v < V; v++) total[r][v] += w * row[v];
    }
  }
}

// One chunk of tiles with the scores, later the weights, of R rows: [R, kScores], those of a tile from its place on.
struct Chunk {
  int count;
  int64_t length;  // of all scores
  int64_t first[kTilesPerChunk], low[kTilesPerChunk], high[kTilesPerChunk], place[kTilesPerChunk];
};
constexpr int64_t kScores = kTilesPerChunk * kTile;

// Adds sum_j weights[r][j] values[j] to totals [R, padded width], V vectors of it from column `at` on.
template <int R, int V>
LATENT_INLINE void add_values(const Chunk& chunk, const float* weights, const KeyHead& head, int64_t at,
                              float* totals) {
  Floats total[R][V];
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) total[r][v] = load(totals + r * head.padded_width + at + v * kLanes);
  for (int t = 0; t < chunk.count; t++)
    add_rows<R, V>(weights + chunk.place[t] + chunk.low[t] - chunk.first[t], kScores,
                   head.value_rows + chunk.low[t] * head.value_stride + at, head.value_stride,
                   chunk.high[t] - chunk.low[t], total);
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) store(totals + r * head.padded_width + at + v * kLanes, total[r][v]);
}

// Running state of R rows.
template <int R>
struct Softmax {
  float maximum[R], total[R];
};

// Scores of V vectors of keys from `first` on, and the largest of each lane.
template <int R, int V>
LATENT_INLINE void score_keys(const float* query, const int32_t* const* ranges, const KeyHead& head, int64_t first,
                              float* scores, Floats* top) {
  Floats score[R][V];
  tile_products<R, V>(query, head.key_columns, head.width, first, score);
  for (int r = 0; r < R; r++) {
    const uint64_t seen = seen_bits(ranges[r], first);
    for (int v = 0; v < V; v++) {
      const Floats kept = visible(seen, v) ? score[r][v] : all(kHidden);
      top[r] = larger(kept, top[r]);
      store(scores + r * kScores + v * kLanes, kept);
    }
  }
}

template <int R>
static void attend_chunk(const Chunk& chunk, const float* query, const int32_t* const* ranges, const KeyHead& head,
                         float* scores, float* totals, Softmax<R>& state) {
  Floats top[R];
  for (int r = 0; r < R; r++) top[r] = all(kNothingSeen);
  for (int t = 0; t < chunk.count; t++) {
    const bool one_vector = chunk.high[t] <= chunk.first[t] + kLanes;
    float* at = scores + chunk.place[t];
    if (one_vector) score_keys<R, 1>(query, ranges, head, chunk.first[t], at, top);
    else score_keys<R, 2>(query, ranges, head, chunk.first[t], at, top);
  }
  for (int r = 0; r < R; r++) {
    const float before = state.maximum[r];
    const float chunk_maximum = largest(top[r]);
    const float maximum = chunk_maximum > before ? chunk_maximum : before;
    if (maximum > before && before > kNothingSeen) {
      const float shrink = exp2f(before - maximum);
      state.total[r] *= shrink;
      for (int64_t i = 0; i < head.padded_width; i += kLanes) {
        float* at = totals + r * head.padded_width + i;
        store(at, load(at) * shrink);
      }
    }
    Floats total = {};
    for (int64_t i = 0; i < chunk.length; i += kLanes) {
      float* at = scores + r * kScores + i;
      const Floats weight = exp2_of(load(at) - maximum);
      store(at, weight);
      total += weight;
    }
    state.maximum[r] = maximum;
    state.total[r] += sum(total);
  }
  int64_t at = 0;
  for (; at + 2 * kLanes <= head.padded_width; at += 2 * kLanes) add_values<R, 2>(chunk, scores, head, at, totals);
  if (at < head.padded_width) add_values<R, 1>(chunk, scores, head, at, totals);
}

// R rows from `row` on with a window of the keys. Between windows `output` holds what they have added up, `log_sum` the sum
// of the weights and `maxima` the largest score so far. A row that sees nothing gives zeros.
template <int R>
static void attend_rows(const AttentionInputs& inputs, const QueryRows& rows, const KeyHead& head, const Window& window,
                        int64_t row, float* output, float* log_sum, float* maxima, float* scratch) {
  const int32_t* ranges[R];
  for (int r = 0; r < R; r++) ranges[r] = rows.ranges(inputs.ranges, row + r);
  Stretch stretches[R * kRangesPerQuery];
  const int count = stretches_within(window.keys, ranges, R, stretches);
  if (count == 0 && !window.first && !window.last) return;
  float* query = scratch;                        // [R, d], scaled
  float* totals = query + R * head.padded_width;  // [R, padded width]
  float* scores = totals + R * head.padded_width;
  const float scale = kLog2E / sqrtf((float)head.width);
  memset(totals, 0, R * head.padded_width * sizeof(float));
  Softmax<R> state;
  for (int r = 0; r < R; r++) {
    scale_into(inputs.query + rows.offset(row + r), head.width, scale, query + r * head.width);
    state.maximum[r] = window.first ? kNothingSeen : maxima[r];
    state.total[r] = window.first ? 0 : log_sum[rows.sum_offset(row + r)];
    if (!window.first)
      memcpy(totals + r * head.padded_width, output + rows.offset(row + r), head.width * sizeof(float));
  }
  Chunk chunk;
  chunk.count = 0;
  chunk.length = 0;
  for (int i = 0; i < count; i++) {
    for (int64_t first = stretches[i].start / kLanes * kLanes; first < stretches[i].end; first += kTile) {
      if (chunk.count == kTilesPerChunk) {
        attend_chunk<R>(chunk, query, ranges, head, scores, totals, state);
        chunk.count = 0;
        chunk.length = 0;
      }
      chunk.first[chunk.count] = first;
      chunk.low[chunk.count] = first > stretches[i].start ? first : stretches[i].start;
      chunk.high[chunk.count] = first + kTile < stretches[i].end ? first + kTile : stretches[i].end;
      chunk.place[chunk.count] = chunk.length;
      chunk.length += chunk.high[chunk.count] <= first + kLanes ? kLanes : kTile;
      chunk.count++;
    }
  }
  if (chunk.count > 0) attend_chunk<R>(chunk, query, ranges, head, scores, totals, state);
  for (int r = 0; r < R; r++) {
    const float total = state.total[r], *sum = totals + r * head.padded_width;
    float *to = output + rows.offset(row + r), *log_to = log_sum + rows.sum_offset(row + r);
    if (!window.last) {
      memcpy(to, sum, head.width * sizeof(float));
      maxima[r] = state.maximum[r];
      *log_to = total;
      continue;
    }
    const bool saw_nothing = total == 0;
    scale_into(sum, head.width, saw_nothing ? 0 : 1 / total, to);
    *log_to = saw_nothing ? 0 : (state.maximum[r] + log2f(total)) * kLn2;
  }
}

static int64_t chunks_of_rows(const AttentionShape& shape) {
  return (shape.queries * (shape.heads / shape.groups) + kRowsPerUnit - 1) / kRowsPerUnit;
}

static int64_t attention_units(const AttentionShape& shape) {
  return shape.batch * shape.groups * chunks_of_rows(shape);
}

static int64_t attention_scratch(const AttentionShape& shape) {
  const int64_t padded_width = rounded_up(shape.width, kLanes);
  return whole_tiles(shape.keys) * (shape.width + padded_width) + kBlock * (2 * padded_width + kScores) +
         kRowsPerUnit;
}

static void attention(const AttentionShape& shape, const AttentionInputs& inputs, float* output, float* log_sum,
                      int64_t begin, int64_t end, float* scratch) {
  const int64_t chunks = chunks_of_rows(shape), row_stride = shape.groups * shape.width;
  const int64_t most_keys = whole_tiles(shape.keys), padded_width = rounded_up(shape.width, kLanes);
  float* value_rows = scratch + most_keys * shape.width;
  float* maxima = value_rows + most_keys * padded_width;
  float* block = maxima + kRowsPerUnit;
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t batch = unit / chunks / shape.groups, group = unit / chunks % shape.groups;
    const QueryRows rows = query_rows(shape, batch, group);
    const int64_t first = unit % chunks * kRowsPerUnit;
    const int64_t left = shape.queries * rows.share - first;
    const int64_t last = first + (left < kRowsPerUnit ? left : kRowsPerUnit);
    const Stretch reached = reached_keys(inputs.ranges, rows, first, last);
    const int64_t source = (batch * shape.keys * shape.groups + group) * shape.width;
    float* columns = scratch - reached.start * shape.width;
    KeyHead head = {columns, nullptr, 0, shape.width, padded_width};
    to_columns(inputs.key + source, row_stride, shape.width, reached.start, reached.end, columns);
    head.value_rows = to_rows(inputs.value + source, row_stride, shape.width, padded_width, reached.start, reached.end,
                              value_rows, &head.value_stride);
    each_window(reached, [&](const Window& window) __attribute__((always_inline)) {
      int64_t row = first;
      for (; row + kBlock <= last; row += kBlock)
        attend_rows<kBlock>(inputs, rows, head, window, row, output, log_sum, maxima + row - first, block);
      for (; row < last; row++)
        attend_rows<1>(inputs, rows, head, window, row, output, log_sum, maxima + row - first, block);
    });
  }
}
