// Attention over key ranges, softmax(q k^T / sqrt(d) over the visible keys) v, by a streaming softmax
// (Milakov and Gimelshein 2018; Dao et al. 2022): keys are visited in tiles, only those that some query of a block
// sees, and no score outlives its chunk of tiles.

constexpr int kBlock = 4;                  // query rows that share one walk over the keys
constexpr int kTile = 2 * kLanes;          // keys scored at a time, or one vector of them where a stretch ends
constexpr int kTilesPerChunk = 16;         // tiles between two corrections of the running maximum
constexpr int64_t kRowsPerUnit = 256;      // query rows of one unit of work
constexpr float kHidden = -1e30f;          // score of a key that is not visible
constexpr float kNothingSeen = -1e29f;     // running maximum before the first visible key

LATENT_INLINE int64_t rounded_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

// Length of a column of keys: whole tiles, and an odd number of cache lines, or the columns would meet in few of the
// cache's sets.
LATENT_INLINE int64_t padded_keys(int64_t keys) { return rounded_up(rounded_up(keys, kTile), 32) + 16; }

// A stretch of keys that some query of a block sees; two stretches never share a vector.
struct Stretch {
  int64_t start, end;
};

// Keys and values of one key head of one batch row, arranged for the loops.
struct KeyHead {
  const float* key_columns;    // [d, padded], where key 0 would be: columns hold the reached keys alone
  const float* value_rows;     // [S, value_stride]
  int64_t padded, value_stride;
  int64_t width, padded_width;  // d, and d rounded up to whole vectors
};

// The rows that share a key head: row i is head first_head + i % share at query i / share.
struct QueryRows {
  int64_t share, first_head, heads, queries, batch, width;
  int64_t query_of(int64_t row) const { return row / share; }
  int64_t head_of(int64_t row) const { return first_head + row % share; }
  // Place of the row's d numbers in [B, T, H, d].
  int64_t offset(int64_t row) const {
    return ((batch * queries + query_of(row)) * heads + head_of(row)) * width;
  }
  // Place of the row's number in [B, H, T].
  int64_t sum_offset(int64_t row) const { return (batch * heads + head_of(row)) * queries + query_of(row); }
  const int32_t* ranges(const int32_t* all_ranges, int64_t row) const {
    return all_ranges + (batch * queries + query_of(row)) * 2 * kRangesPerQuery;
  }
};

LATENT_INLINE QueryRows query_rows(const AttentionShape& shape, int64_t batch, int64_t group) {
  const int64_t share = shape.heads / shape.groups;
  return {share, group * share, shape.heads, shape.queries, batch, shape.width};
}

// The keys that a block of rows sees, as stretches in ascending order; gives their count.
LATENT_INLINE int merged_stretches(const int32_t* const* ranges, int rows, Stretch* stretches) {
  int count = 0;
  for (int row = 0; row < rows; row++) {
    if (row > 0 && ranges[row] == ranges[row - 1]) continue;
    for (int i = 0; i < kRangesPerQuery; i++) {
      Stretch fresh = {ranges[row][2 * i], ranges[row][2 * i + 1]};
      if (fresh.start >= fresh.end) continue;
      // grow by every stretch that shares a vector, then go to the right place
      int kept = 0;
      for (int j = 0; j < count; j++) {
        const Stretch& old = stretches[j];
        const bool apart = (old.end - 1) / kLanes < fresh.start / kLanes || (fresh.end - 1) / kLanes < old.start / kLanes;
        if (apart) {
          stretches[kept++] = old;
          continue;
        }
        if (old.start < fresh.start) fresh.start = old.start;
        if (old.end > fresh.end) fresh.end = old.end;
      }
      int at = kept;
      for (; at > 0 && stretches[at - 1].start > fresh.start; at--) stretches[at] = stretches[at - 1];
      stretches[at] = fresh;
      count = kept + 1;
    }
  }
  return count;
}

// From the first to the last tile that the rows [first, last) reach: only these keys are rearranged for them.
LATENT_INLINE Stretch reached_keys(const int32_t* all_ranges, const QueryRows& rows, int64_t first, int64_t last) {
  Stretch reached = {INT32_MAX, 0};
  for (int64_t query = rows.query_of(first); query <= rows.query_of(last - 1); query++) {
    const int32_t* range = rows.ranges(all_ranges, query * rows.share);
    for (int i = 0; i < kRangesPerQuery; i++) {
      if (range[2 * i] >= range[2 * i + 1]) continue;
      if (range[2 * i] < reached.start) reached.start = range[2 * i];
      if (range[2 * i + 1] > reached.end) reached.end = range[2 * i + 1];
    }
  }
  if (reached.end == 0) return {0, 0};
  reached.start = reached.start / kTile * kTile;
  return reached;
}

// Which of the kTile keys from `first` on a row sees, one bit each.
LATENT_INLINE uint64_t seen_bits(const int32_t* ranges, int64_t first) {
  const auto up_to = [&](int32_t end) {
    const int64_t count = end - first;
    return (uint64_t{1} << (count < 0 ? 0 : count > kTile ? kTile : count)) - 1;
  };
  uint64_t seen = 0;
  for (int i = 0; i < kRangesPerQuery; i++) seen |= up_to(ranges[2 * i + 1]) & ~up_to(ranges[2 * i]);
  return seen;
}
// Those bits of vector v of the tile as lanes, all bits of a lane set where its key is seen.
LATENT_INLINE Ints visible(uint64_t seen, int v) {
  return ((Ints{} + (int32_t)(seen >> (v * kLanes))) & (Ints{} + 1) << lane_numbers()) != 0;
}

// to = from * factor.
LATENT_INLINE void scale_into(const float* from, int64_t width, float factor, float* to) {
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) store(to + i, load(from + i) * factor);
  for (; i < width; i++) to[i] = from[i] * factor;
}

// x of [S, G, d], one group, as columns [d, padded] for the keys [begin, end), with zeros up to a whole tile.
static void to_columns(const float* x, int64_t row_stride, int64_t width, int64_t begin, int64_t end, int64_t padded,
                       float* columns) {
  for (int64_t first = begin; first < rounded_up(end, kTile); first += kLanes) {
    for (int64_t at = 0; at < width; at += kLanes) {
      const float* from = x + first * row_stride + at;
      float* to = columns + at * padded + first;
      const int64_t rows = end - first;
      if (at + kLanes <= width) {
        transpose_block(from, row_stride, rows, to, padded, kLanes);
        continue;
      }
      for (int64_t lane = 0; lane < width - at; lane++)
        for (int64_t row = 0; row < kLanes; row++) to[lane * padded + row] = row < rows ? from[row * row_stride + lane] : 0;
    }
  }
}

// Columns [d, padded] of the keys [begin, end), from a whole tile on, back to rows of one group.
static void from_columns(const float* columns, int64_t padded, int64_t width, int64_t begin, int64_t end,
                         int64_t row_stride, float* x) {
  for (int64_t first = begin; first < end; first += kLanes) {
    for (int64_t at = 0; at < width; at += kLanes) {
      const float* from = columns + at * padded + first;
      float* to = x + first * row_stride + at;
      const int64_t rows = end - first < kLanes ? end - first : kLanes;
      if (at + kLanes <= width) {
        transpose_block(from, padded, kLanes, to, row_stride, rows);
        continue;
      }
      for (int64_t row = 0; row < rows; row++)
        for (int64_t lane = 0; lane < width - at; lane++) to[row * row_stride + lane] = from[lane * padded + row];
    }
  }
}

// Rows [begin, end) of one group with their width padded by zeros; the originals where they need none.
static const float* to_rows(const float* x, int64_t row_stride, int64_t width, int64_t padded_width, int64_t begin,
                            int64_t end, float* rows, int64_t* stride) {
  if (width == padded_width) {
    *stride = row_stride;
    return x;
  }
  *stride = padded_width;
  for (int64_t s = begin; s < end; s++) {
    memcpy(rows + s * padded_width, x + s * row_stride, width * sizeof(float));
    memset(rows + s * padded_width + width, 0, (padded_width - width) * sizeof(float));
  }
  return rows;
}

// Dot products of R rows [R, d] with V vectors of the columns from `first` on.
template <int R, int V>
LATENT_INLINE void tile_products(const float* rows, const float* columns, int64_t padded, int64_t width, int64_t first,
                                 Floats (*products)[V]) {
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) products[r][v] = Floats{};
  const float* column = columns + first;
  for (int64_t i = 0; i < width; i++, column += padded) {
    Floats key[V];
    for (int v = 0; v < V; v++) key[v] = load(column + v * kLanes);
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
  tile_products<R, V>(query, head.key_columns, head.padded, head.width, first, score);
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

// R rows from `row` on. A row that sees nothing gives zeros.
template <int R>
static void attend_rows(const AttentionInputs& inputs, const QueryRows& rows, const KeyHead& head, int64_t row,
                        float* output, float* log_sum, float* scratch) {
  float* query = scratch;                        // [R, d], scaled
  float* totals = query + R * head.padded_width;  // [R, padded width]
  float* scores = totals + R * head.padded_width;
  const int32_t* ranges[R];
  const float scale = kLog2E / sqrtf((float)head.width);
  for (int r = 0; r < R; r++) {
    ranges[r] = rows.ranges(inputs.ranges, row + r);
    scale_into(inputs.query + rows.offset(row + r), head.width, scale, query + r * head.width);
  }
  memset(totals, 0, R * head.padded_width * sizeof(float));
  Softmax<R> state;
  for (int r = 0; r < R; r++) {
    state.maximum[r] = kNothingSeen;
    state.total[r] = 0;
  }
  Stretch stretches[R * kRangesPerQuery];
  const int count = merged_stretches(ranges, R, stretches);
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
    const float total = state.total[r];
    const bool saw_nothing = total == 0;
    const float share = saw_nothing ? 0 : 1 / total;
    scale_into(totals + r * head.padded_width, head.width, share, output + rows.offset(row + r));
    log_sum[rows.sum_offset(row + r)] = saw_nothing ? 0 : (state.maximum[r] + log2f(total)) * kLn2;
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
  return padded_keys(shape.keys) * (shape.width + padded_width) + kBlock * (2 * padded_width + kScores);
}

static void attention(const AttentionShape& shape, const AttentionInputs& inputs, float* output, float* log_sum,
                      int64_t begin, int64_t end, float* scratch) {
  const int64_t chunks = chunks_of_rows(shape), row_stride = shape.groups * shape.width;
  const int64_t most_keys = padded_keys(shape.keys), padded_width = rounded_up(shape.width, kLanes);
  float* value_rows = scratch + most_keys * shape.width;
  float* block = value_rows + most_keys * padded_width;
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t batch = unit / chunks / shape.groups, group = unit / chunks % shape.groups;
    const QueryRows rows = query_rows(shape, batch, group);
    const int64_t first = unit % chunks * kRowsPerUnit;
    const int64_t left = shape.queries * rows.share - first;
    const int64_t last = first + (left < kRowsPerUnit ? left : kRowsPerUnit);
    const Stretch reached = reached_keys(inputs.ranges, rows, first, last);
    const int64_t source = (batch * shape.keys * shape.groups + group) * shape.width;
    const int64_t padded = padded_keys(reached.end - reached.start);
    float* columns = scratch - reached.start;
    KeyHead head = {columns, nullptr, padded, 0, shape.width, padded_width};
    to_columns(inputs.key + source, row_stride, shape.width, reached.start, reached.end, padded, columns);
    head.value_rows = to_rows(inputs.value + source, row_stride, shape.width, padded_width, reached.start, reached.end,
                              value_rows, &head.value_stride);
    int64_t row = first;
    for (; row + kBlock <= last; row += kBlock)
      attend_rows<kBlock>(inputs, rows, head, row, output, log_sum, block);
    for (; row < last; row++) attend_rows<1>(inputs, rows, head, row, output, log_sum, block);
  }
}
