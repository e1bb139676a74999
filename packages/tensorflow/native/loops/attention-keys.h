// How the rows and keys of attention stand for its loops: which keys a block of rows sees, as stretches of whole vectors,
// and keys as panels of columns: panel p holds the keys [p kLanes, (p + 1) kLanes) as [d, kLanes], so that a vector is one
// number of several keys, and what a walk over the keys reads stands in its order.

constexpr int kBlock = 4;                  // query rows that share one walk over the keys
constexpr int kTile = 2 * kLanes;          // keys scored at a time, or one vector of them where a stretch ends

LATENT_INLINE int64_t rounded_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

LATENT_INLINE int64_t whole_tiles(int64_t keys) { return rounded_up(keys, kTile); }

// A stretch of keys that some query of a block sees; two stretches never share a vector.
struct Stretch {
  int64_t start, end;
};

// Keys and values of one key head of one batch row, arranged for the loops.
struct KeyHead {
  const float* key_columns;    // panels, where that of key 0 would be: they hold the reached keys alone
  const float* value_rows;     // [S, value_stride]
  int64_t value_stride;
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

// Keys that stay in the cache while all rows of a unit go over them; long rows are walked window by window.
constexpr int64_t kWindow = 512;
struct Window {
  Stretch keys;
  bool first, last;
};

// Calls body(window) for the windows of the keys that a unit reaches, at least one.
template <typename Body>
LATENT_INLINE void each_window(Stretch reached, Body body) {
  for (int64_t start = reached.start;; start += kWindow) {
    const bool last = start + kWindow >= reached.end;
    body(Window{{start, last ? reached.end : start + kWindow}, start == reached.start, last});
    if (last) return;
  }
}

// What a block of rows sees of a window, as merged_stretches() gives it.
LATENT_INLINE int stretches_within(Stretch window, const int32_t* const* ranges, int rows, Stretch* stretches) {
  const int count = merged_stretches(ranges, rows, stretches);
  int kept = 0;
  for (int i = 0; i < count; i++) {
    const Stretch all = stretches[i];
    const Stretch part = {all.start > window.start ? all.start : window.start, all.end < window.end ? all.end : window.end};
    if (part.start < part.end) stretches[kept++] = part;
  }
  return kept;
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

// x of [S, G, d], one group, as panels of the keys [begin, end), with zeros up to a whole tile.
static void to_columns(const float* x, int64_t row_stride, int64_t width, int64_t begin, int64_t end, float* columns) {
  for (int64_t first = begin; first < whole_tiles(end); first += kLanes) {
    const int64_t rows = end - first;
    for (int64_t at = 0; at < width; at += kLanes) {
      const float* from = x + first * row_stride + at;
      float* to = columns + first * width + at * kLanes;
      if (at + kLanes <= width) {
        transpose_block(from, row_stride, rows, to, kLanes, kLanes);
        continue;
      }
      for (int64_t lane = 0; lane < width - at; lane++)
        for (int64_t row = 0; row < kLanes; row++) to[lane * kLanes + row] = row < rows ? from[row * row_stride + lane] : 0;
    }
  }
}

// Panels of the keys [begin, end), from a whole tile on, back to rows of one group.
static void from_columns(const float* columns, int64_t width, int64_t begin, int64_t end, int64_t row_stride, float* x) {
  for (int64_t first = begin; first < end; first += kLanes) {
    const int64_t rows = end - first < kLanes ? end - first : kLanes;
    for (int64_t at = 0; at < width; at += kLanes) {
      const float* from = columns + first * width + at * kLanes;
      float* to = x + first * row_stride + at;
      if (at + kLanes <= width) {
        transpose_block(from, kLanes, kLanes, to, row_stride, rows);
        continue;
      }
      for (int64_t row = 0; row < rows; row++)
        for (int64_t lane = 0; lane < width - at; lane++) to[row * row_stride + lane] = from[lane * kLanes + row];
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
