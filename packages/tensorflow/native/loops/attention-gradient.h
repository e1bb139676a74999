// The gradient of attention from its output and log-sum-exp alone (Dao et al. 2022, algorithm 4): weights are made
// again tile by tile, W = exp(q k / sqrt(d) - log_sum), dS = W (dy v - sum(dy y)), and dq, dk, dv follow in one walk.

// What the rows of one key head share in the backward pass; columns are panels, as in KeyHead.
struct GradientHead {
  const float* key_columns;
  const float* value_columns;
  const float* key_rows;  // [S, key_stride]
  float* key_gradient;    // columns
  float* value_gradient;  // columns
  int64_t key_stride, width, padded_width;
};

// Adds sum_r factors[r] (V vectors each) times rows[r][i] to column i, for all i.
template <int R, int V>
LATENT_INLINE void add_outer(const float* rows, const Floats (*factors)[V], int64_t first, int64_t width,
                             float* columns) {
  float* column = columns + first * width;
  for (int64_t i = 0; i < width; i++, column += kLanes) {
    Floats sums[V];
    for (int v = 0; v < V; v++) sums[v] = load(column + v * width * kLanes);
    for (int r = 0; r < R; r++) {
      const Floats x = all(rows[r * width + i]);
      for (int v = 0; v < V; v++) sums[v] += x * factors[r][v];
    }
    for (int v = 0; v < V; v++) store(column + v * width * kLanes, sums[v]);
  }
}

// Adds sum_j factors[r][j] key[j] for the keys [low, high) to totals [R, padded width], V vectors from `at` on.
template <int R, int V>
LATENT_INLINE void add_keys(const float* factors, int64_t first, int64_t low, int64_t high, const GradientHead& head,
                            int64_t at, float* totals) {
  Floats total[R][V];
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) total[r][v] = load(totals + r * head.padded_width + at + v * kLanes);
  add_rows<R, V>(factors + low - first, kTile, head.key_rows + low * head.key_stride + at, head.key_stride, high - low,
                 total);
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) store(totals + r * head.padded_width + at + v * kLanes, total[r][v]);
}

// What the walk over the keys needs of R rows.
template <int R>
struct GradientRows {
  const float *scaled, *query, *dy;  // [R, d]: query in units of the exponent, query / sqrt(d), output's gradient
  const int32_t* ranges[R];
  float shift[R], share[R];
  float *totals, *factors;  // gradient of the query [R, padded width]; [R, kTile]
};

// The keys [low, high), within V vectors from `first` on.
template <int R, int V>
LATENT_INLINE void gradient_of_tile(const GradientRows<R>& rows, const GradientHead& head, int64_t first, int64_t low,
                                    int64_t high) {
  Floats weights[R][V], slopes[R][V];
  tile_products<R, V>(rows.scaled, head.key_columns, head.width, first, weights);
  for (int r = 0; r < R; r++) {
    const uint64_t seen = seen_bits(rows.ranges[r], first);
    for (int v = 0; v < V; v++) {
      const Floats weight = exp2_of(weights[r][v] - rows.shift[r]);
      weights[r][v] = visible(seen, v) ? weight : Floats{};
    }
  }
  add_outer<R, V>(rows.dy, weights, first, head.width, head.value_gradient);
  tile_products<R, V>(rows.dy, head.value_columns, head.width, first, slopes);
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) {
      slopes[r][v] = weights[r][v] * (slopes[r][v] - rows.share[r]);
      store(rows.factors + r * kTile + v * kLanes, slopes[r][v]);
    }
  add_outer<R, V>(rows.query, slopes, first, head.width, head.key_gradient);
  int64_t at = 0;
  for (; at + 2 * kLanes <= head.padded_width; at += 2 * kLanes)
    add_keys<R, 2>(rows.factors, first, low, high, head, at, rows.totals);
  if (at < head.padded_width) add_keys<R, 1>(rows.factors, first, low, high, head, at, rows.totals);
}

// R rows from `row` on with a window of the keys; the gradient of the query is added up over the windows.
template <int R>
static void gradient_of_rows(const AttentionInputs& inputs, const AttentionGradients& gradients, const QueryRows& rows,
                             const GradientHead& head, const Window& window, int64_t row, float* scratch) {
  const int64_t width = head.width;
  const int32_t* ranges[R];
  for (int r = 0; r < R; r++) ranges[r] = rows.ranges(inputs.ranges, row + r);
  Stretch stretches[R * kRangesPerQuery];
  const int count = stretches_within(window.keys, ranges, R, stretches);
  if (count == 0 && !window.first) return;
  float* scaled = scratch;                          // [R, d], query in units of the exponent
  float* query = scaled + R * head.padded_width;    // [R, d], query / sqrt(d)
  float* dy = query + R * head.padded_width;        // [R, d]
  float* totals = dy + R * head.padded_width;       // [R, padded width], gradient of the query
  float* factors = totals + R * head.padded_width;  // [R, kTile]
  const float scale = 1 / sqrtf((float)width);
  GradientRows<R> block = {scaled, query, dy, {}, {}, {}, totals, factors};
  for (int r = 0; r < R; r++) {
    const int64_t at = rows.offset(row + r);
    block.ranges[r] = ranges[r];
    block.shift[r] = gradients.log_sum[rows.sum_offset(row + r)] * kLog2E;
    const float *q = inputs.query + at, *g = gradients.output_gradient + at, *y = gradients.output + at;
    scale_into(q, width, scale * kLog2E, scaled + r * width);
    scale_into(q, width, scale, query + r * width);
    scale_into(g, width, 1, dy + r * width);
    Floats shares = {};
    int64_t i = 0;
    for (; i + kLanes <= width; i += kLanes) shares += load(g + i) * load(y + i);
    block.share[r] = sum(shares);
    for (; i < width; i++) block.share[r] += g[i] * y[i];
  }
  memset(totals, 0, R * head.padded_width * sizeof(float));
  for (int s = 0; s < count; s++) {
    for (int64_t first = stretches[s].start / kLanes * kLanes; first < stretches[s].end; first += kTile) {
      const int64_t low = first > stretches[s].start ? first : stretches[s].start;
      const int64_t high = first + kTile < stretches[s].end ? first + kTile : stretches[s].end;
      if (high <= first + kLanes) gradient_of_tile<R, 1>(block, head, first, low, high);
      else gradient_of_tile<R, 2>(block, head, first, low, high);
    }
  }
  for (int r = 0; r < R; r++) {
    float *total = totals + r * head.padded_width, *to = gradients.query + rows.offset(row + r);
    if (window.first)
      scale_into(total, width, scale, to);
    else
      for (int64_t i = 0; i < width; i++) to[i] += total[i] * scale;
  }
}

static int64_t attention_gradient_scratch(const AttentionShape& shape) {
  const int64_t padded_width = rounded_up(shape.width, kLanes);
  return whole_tiles(shape.keys) * (4 * shape.width + padded_width) + kBlock * (4 * padded_width + kTile);
}

// Few key heads, as in one long row, are cut further into chunks of query rows, by the shape alone.
static int64_t attention_gradient_chunks(const AttentionShape& shape) {
  const int64_t heads = shape.batch * shape.groups, rows = shape.queries * (shape.heads / shape.groups);
  const int64_t wanted = heads == 0 ? 1 : (16 + heads - 1) / heads, possible = rows / 64;
  const int64_t chunks = wanted < possible ? wanted : possible;
  return chunks < 1 ? 1 : chunks;
}

static void attention_gradient(const AttentionShape& shape, const AttentionInputs& inputs,
                               const AttentionGradients& gradients, int64_t begin, int64_t end, float* scratch) {
  const int64_t row_stride = shape.groups * shape.width, width = shape.width, keys = shape.keys;
  const int64_t most_keys = whole_tiles(keys), padded_width = rounded_up(width, kLanes);
  const int64_t chunks = attention_gradient_chunks(shape);
  float* key_rows = scratch + 4 * most_keys * width;
  float* block = key_rows + most_keys * padded_width;
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t batch = unit / chunks / shape.groups, group = unit / chunks % shape.groups, chunk = unit % chunks;
    const QueryRows rows = query_rows(shape, batch, group);
    const int64_t count = shape.queries * rows.share;
    const int64_t begin_row = count * chunk / chunks, last = count * (chunk + 1) / chunks;
    const int64_t source = (batch * keys * shape.groups + group) * width;
    const int64_t target = chunk * shape.batch * keys * row_stride + source;
    const Stretch reached = begin_row < last ? reached_keys(inputs.ranges, rows, begin_row, last) : Stretch{0, 0};
    const int64_t column_numbers = whole_tiles(reached.end - reached.start) * width;
    float* key_columns = scratch - reached.start * width;
    float* value_columns = key_columns + column_numbers;
    float* key_gradient = value_columns + column_numbers;
    float* value_gradient = key_gradient + column_numbers;
    GradientHead head = {key_columns, value_columns, nullptr, key_gradient, value_gradient, 0, width, padded_width};
    to_columns(inputs.key + source, row_stride, width, reached.start, reached.end, key_columns);
    to_columns(inputs.value + source, row_stride, width, reached.start, reached.end, value_columns);
    head.key_rows = to_rows(inputs.key + source, row_stride, width, padded_width, reached.start, reached.end, key_rows,
                            &head.key_stride);
    memset(key_gradient + reached.start * width, 0, 2 * column_numbers * sizeof(float));
    each_window(reached, [&](const Window& window) __attribute__((always_inline)) {
      int64_t row = begin_row;
      for (; row + kBlock <= last; row += kBlock)
        gradient_of_rows<kBlock>(inputs, gradients, rows, head, window, row, block);
      for (; row < last; row++) gradient_of_rows<1>(inputs, gradients, rows, head, window, row, block);
    });
    from_columns(key_gradient, width, reached.start, reached.end, row_stride, gradients.key + target);
    from_columns(value_gradient, width, reached.start, reached.end, row_stride, gradients.value + target);
    if (group == 0) {
      // the same for all groups
      int32_t* to = gradients.reached + 2 * (chunk * shape.batch + batch);
      to[0] = (int32_t)reached.start;
      to[1] = (int32_t)reached.end;
    }
  }
}

// The chunks' gradients of keys or values, [chunks, B, S, G, d], summed over the chunks that reach a key.
static void sum_key_chunks(const AttentionShape& shape, const int32_t* reached, const float* parts, float* total,
                           int64_t begin, int64_t end) {
  const int64_t count = shape.groups * shape.width, chunks = attention_gradient_chunks(shape);
  for (int64_t row = begin; row < end; row++) {
    const int64_t batch = row / shape.keys, key = row % shape.keys;
    float* __restrict to = total + row * count;
    bool written = false;
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
      const int32_t* range = reached + 2 * (chunk * shape.batch + batch);
      if (key < range[0] || key >= range[1]) continue;
      const float* __restrict from = parts + (chunk * shape.batch * shape.keys + row) * count;
      if (written)
        for (int64_t i = 0; i < count; i++) to[i] += from[i];
      else
        memcpy(to, from, count * sizeof(float));
      written = true;
    }
    if (!written) memset(to, 0, count * sizeof(float));
  }
}
