// Attention over key ranges, softmax(q k^T / sqrt(d) over the visible keys) v, by a streaming softmax
// (Milakov and Gimelshein 2018; Dao et al. 2022): keys are visited in tiles, only those that some query of a block
// sees, and no score outlives its chunk of tiles.

constexpr int kBlock = 4;                  // query rows that share one walk over the keys
constexpr int kTile = 2 * kLanes;          // keys scored at a time
constexpr int kTilesPerChunk = 16;         // tiles between two corrections of the running maximum
constexpr int64_t kRowsPerUnit = 256;      // query rows of one unit of work
constexpr float kHidden = -1e30f;          // score of a key that is not visible
constexpr float kNothingSeen = -1e29f;     // running maximum before the first visible key

LATENT_INLINE int64_t rounded_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

// Length of a column of keys: whole tiles, and an odd number of cache lines, or the columns would meet in few of the
// cache's sets.
LATENT_INLINE int64_t padded_keys(int64_t keys) { return rounded_up(rounded_up(keys, kTile), 32) + 16; }

// A stretch of keys that some query of a block sees; two stretches never share a tile.
struct Stretch {
  int64_t start, end;
};

// Keys and values of one key head of one batch row, arranged for the loops.
struct KeyHead {
  const float* key_columns;    // [d, padded]
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
      // grow by every stretch that shares a tile, then go to the right place
      int kept = 0;
      for (int j = 0; j < count; j++) {
        const Stretch& old = stretches[j];
        const bool apart = (old.end - 1) / kTile < fresh.start / kTile || (fresh.end - 1) / kTile < old.start / kTile;
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

// Which of the keys from `first` on a row sees; all lanes set where it sees the whole tile.
LATENT_INLINE bool sees_tile(const int32_t* ranges, int64_t first) {
  for (int i = 0; i < kRangesPerQuery; i++)
    if (ranges[2 * i] <= first && first + kTile <= ranges[2 * i + 1]) return true;
  return false;
}
LATENT_INLINE Ints visible(const int32_t* ranges, int64_t first) {
  const Ints key = lane_numbers() + (int32_t)first;
  Ints seen = {};
  for (int i = 0; i < kRangesPerQuery; i++) seen |= (key >= ranges[2 * i]) & (key < ranges[2 * i + 1]);
  return seen;
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

// Columns [d, padded] back to rows of one group.
static void from_columns(const float* columns, int64_t padded, int64_t width, int64_t keys, int64_t row_stride,
                         float* x) {
  for (int64_t first = 0; first < keys; first += kLanes) {
    for (int64_t at = 0; at < width; at += kLanes) {
      const float* from = columns + at * padded + first;
      float* to = x + first * row_stride + at;
      const int64_t rows = keys - first < kLanes ? keys - first : kLanes;
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

// Dot products of R rows [R, d] with the tile of columns that starts at `first`.
template <int R>
LATENT_INLINE void tile_products(const float* rows, const float* columns, int64_t padded, int64_t width, int64_t first,
                                 Floats (*products)[2]) {
  for (int r = 0; r < R; r++) products[r][0] = products[r][1] = Floats{};
  const float* column = columns + first;
  for (int64_t i = 0; i < width; i++, column += padded) {
    const Floats left = load(column), right = load(column + kLanes);
    for (int r = 0; r < R; r++) {
      const Floats x = all(rows[r * width + i]);
      products[r][0] += x * left;
      products[r][1] += x * right;
    }
  }
}

// One chunk of tiles with the scores, later the weights, of R rows: [R, kTilesPerChunk * kTile].
struct Chunk {
  int count;
  int64_t first[kTilesPerChunk], low[kTilesPerChunk], high[kTilesPerChunk];
};
constexpr int64_t kScores = kTilesPerChunk * kTile;

// Adds sum_j weights[r][j] values[j] to totals [R, padded width], V vectors of it from column `at` on.
template <int R, int V>
LATENT_INLINE void add_values(const Chunk& chunk, const float* weights, const KeyHead& head, int64_t at,
                              float* totals) {
  Floats total[R][V];
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) total[r][v] = load(totals + r * head.padded_width + at + v * kLanes);
  for (int t = 0; t < chunk.count; t++) {
    const float* weight = weights + t * kTile - chunk.first[t];
    const float* value = head.value_rows + chunk.low[t] * head.value_stride + at;
    for (int64_t j = chunk.low[t]; j < chunk.high[t]; j++, value += head.value_stride) {
      Floats row[V];
      for (int v = 0; v < V; v++) row[v] = load(value + v * kLanes);
      for (int r = 0; r < R; r++) {
        const Floats w = all(weight[r * kScores + j]);
        for (int v = 0; v < V; v++) total[r][v] += w * row[v];
      }
    }
  }
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) store(totals + r * head.padded_width + at + v * kLanes, total[r][v]);
}

// Running state of R rows.
template <int R>
struct Softmax {
  float maximum[R], total[R];
};

template <int R>
static void attend_chunk(const Chunk& chunk, const float* query, const int32_t* const* ranges, const KeyHead& head,
                         float* scores, float* totals, Softmax<R>& state) {
  Floats top[R];
  for (int r = 0; r < R; r++) top[r] = all(kNothingSeen);
  for (int t = 0; t < chunk.count; t++) {
    Floats score[R][2];
    tile_products<R>(query, head.key_columns, head.padded, head.width, chunk.first[t], score);
    for (int r = 0; r < R; r++) {
      if (!sees_tile(ranges[r], chunk.first[t]))
        for (int v = 0; v < 2; v++)
          score[r][v] = visible(ranges[r], chunk.first[t] + v * kLanes) ? score[r][v] : all(kHidden);
      for (int v = 0; v < 2; v++) {
        top[r] = larger(score[r][v], top[r]);
        store(scores + r * kScores + t * kTile + v * kLanes, score[r][v]);
      }
    }
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
    for (int64_t i = 0; i < chunk.count * kTile; i += kLanes) {
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
    const float* from = inputs.query + rows.offset(row + r);
    for (int64_t i = 0; i < head.width; i++) query[r * head.width + i] = from[i] * scale;
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
  for (int i = 0; i < count; i++) {
    for (int64_t first = stretches[i].start / kTile * kTile; first < stretches[i].end; first += kTile) {
      if (chunk.count == kTilesPerChunk) {
        attend_chunk<R>(chunk, query, ranges, head, scores, totals, state);
        chunk.count = 0;
      }
      chunk.first[chunk.count] = first;
      chunk.low[chunk.count] = first > stretches[i].start ? first : stretches[i].start;
      chunk.high[chunk.count] = first + kTile < stretches[i].end ? first + kTile : stretches[i].end;
      chunk.count++;
    }
  }
  if (chunk.count > 0) attend_chunk<R>(chunk, query, ranges, head, scores, totals, state);
  for (int r = 0; r < R; r++) {
    const float total = state.total[r];
    const bool saw_nothing = total == 0;
    const float share = saw_nothing ? 0 : 1 / total;
    float* to = output + rows.offset(row + r);
    for (int64_t i = 0; i < head.width; i++) to[i] = totals[r * head.padded_width + i] * share;
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
  const int64_t padded = padded_keys(shape.keys), padded_width = rounded_up(shape.width, kLanes);
  float* columns = scratch;
  float* value_rows = columns + padded * shape.width;
  float* block = value_rows + padded * padded_width;
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t batch = unit / chunks / shape.groups, group = unit / chunks % shape.groups;
    const QueryRows rows = query_rows(shape, batch, group);
    const int64_t first = unit % chunks * kRowsPerUnit;
    const int64_t left = shape.queries * rows.share - first;
    const int64_t last = first + (left < kRowsPerUnit ? left : kRowsPerUnit);
    const Stretch reached = reached_keys(inputs.ranges, rows, first, last);
    const int64_t source = (batch * shape.keys * shape.groups + group) * shape.width;
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
