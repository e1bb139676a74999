// The gradient of attention from its output and log-sum-exp alone (Dao et al. 2022, algorithm 4): weights are made
// again tile by tile, W = exp(q k / sqrt(d) - log_sum), dS = W (dy v - sum(dy y)), and dq, dk, dv follow in one walk.

// What the rows of one key head share in the backward pass; columns are [d, padded].
struct GradientHead {
  const float* key_columns;
  const float* value_columns;
  const float* key_rows;  // [S, key_stride]
  float* key_gradient;    // columns
  float* value_gradient;  // columns
  int64_t padded, key_stride, width, padded_width;
};

// Adds sum_r factors[r] (a tile each) times rows[r][i] to column i, for all i.
template <int R>
LATENT_INLINE void add_outer(const float* rows, const Floats (*factors)[2], int64_t first, int64_t width,
                             int64_t padded, float* columns) {
  float* column = columns + first;
  for (int64_t i = 0; i < width; i++, column += padded) {
    Floats left = load(column), right = load(column + kLanes);
    for (int r = 0; r < R; r++) {
      const Floats x = all(rows[r * width + i]);
      left += x * factors[r][0];
      right += x * factors[r][1];
    }
    store(column, left);
    store(column + kLanes, right);
  }
}

// Adds sum_j factors[r][j] key[j] for the keys [low, high) to totals [R, padded width], V vectors from `at` on.
template <int R, int V>
LATENT_INLINE void add_keys(const float* factors, int64_t first, int64_t low, int64_t high, const GradientHead& head,
                            int64_t at, float* totals) {
  Floats total[R][V];
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) total[r][v] = load(totals + r * head.padded_width + at + v * kLanes);
  const float* key = head.key_rows + low * head.key_stride + at;
  for (int64_t j = low; j < high; j++, key += head.key_stride) {
    Floats row[V];
    for (int v = 0; v < V; v++) row[v] = load(key + v * kLanes);
    for (int r = 0; r < R; r++) {
      const Floats factor = all(factors[r * kTile + j - first]);
      for (int v = 0; v < V; v++) total[r][v] += factor * row[v];
    }
  }
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) store(totals + r * head.padded_width + at + v * kLanes, total[r][v]);
}

template <int R>
static void gradient_of_rows(const AttentionInputs& inputs, const AttentionGradients& gradients, const QueryRows& rows,
                             const GradientHead& head, int64_t row, float* scratch) {
  const int64_t width = head.width;
  float* scaled = scratch;                          // [R, d], query in units of the exponent
  float* query = scaled + R * head.padded_width;    // [R, d], query / sqrt(d)
  float* dy = query + R * head.padded_width;        // [R, d]
  float* totals = dy + R * head.padded_width;       // [R, padded width], gradient of the query
  float* factors = totals + R * head.padded_width;  // [R, kTile]
  const float scale = 1 / sqrtf((float)width);
  const int32_t* ranges[R];
  float shift[R], share[R];
  for (int r = 0; r < R; r++) {
    const int64_t at = rows.offset(row + r);
    ranges[r] = rows.ranges(inputs.ranges, row + r);
    shift[r] = gradients.log_sum[rows.sum_offset(row + r)] * kLog2E;
    const float *q = inputs.query + at, *g = gradients.output_gradient + at, *y = gradients.output + at;
    share[r] = 0;
    for (int64_t i = 0; i < width; i++) {
      scaled[r * width + i] = q[i] * (scale * kLog2E);
      query[r * width + i] = q[i] * scale;
      dy[r * width + i] = g[i];
      share[r] += g[i] * y[i];
    }
  }
  memset(totals, 0, R * head.padded_width * sizeof(float));
  Stretch stretches[R * kRangesPerQuery];
  const int count = merged_stretches(ranges, R, stretches);
  for (int s = 0; s < count; s++) {
    for (int64_t first = stretches[s].start / kTile * kTile; first < stretches[s].end; first += kTile) {
      const int64_t low = first > stretches[s].start ? first : stretches[s].start;
      const int64_t high = first + kTile < stretches[s].end ? first + kTile : stretches[s].end;
      Floats weights[R][2], slopes[R][2];
      tile_products<R>(scaled, head.key_columns, head.padded, width, first, weights);
      for (int r = 0; r < R; r++) {
        const bool whole = sees_tile(ranges[r], first);
        for (int v = 0; v < 2; v++) {
          weights[r][v] = exp2_of(weights[r][v] - shift[r]);
          if (!whole) weights[r][v] = visible(ranges[r], first + v * kLanes) ? weights[r][v] : Floats{};
        }
      }
      add_outer<R>(dy, weights, first, width, head.padded, head.value_gradient);
      tile_products<R>(dy, head.value_columns, head.padded, width, first, slopes);
      for (int r = 0; r < R; r++)
        for (int v = 0; v < 2; v++) {
          slopes[r][v] = weights[r][v] * (slopes[r][v] - share[r]);
          store(factors + r * kTile + v * kLanes, slopes[r][v]);
        }
      add_outer<R>(query, slopes, first, width, head.padded, head.key_gradient);
      int64_t at = 0;
      for (; at + 2 * kLanes <= head.padded_width; at += 2 * kLanes)
        add_keys<R, 2>(factors, first, low, high, head, at, totals);
      if (at < head.padded_width) add_keys<R, 1>(factors, first, low, high, head, at, totals);
    }
  }
  for (int r = 0; r < R; r++) {
    float* to = gradients.query + rows.offset(row + r);
    for (int64_t i = 0; i < width; i++) to[i] = totals[r * head.padded_width + i] * scale;
  }
}

static int64_t attention_gradient_scratch(const AttentionShape& shape) {
  const int64_t padded_width = rounded_up(shape.width, kLanes);
  return padded_keys(shape.keys) * (4 * shape.width + padded_width) + kBlock * (4 * padded_width + kTile);
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
  const int64_t padded = padded_keys(keys), padded_width = rounded_up(width, kLanes);
  const int64_t chunks = attention_gradient_chunks(shape);
  float* key_columns = scratch;
  float* value_columns = key_columns + padded * width;
  float* key_gradient = value_columns + padded * width;
  float* value_gradient = key_gradient + padded * width;
  float* key_rows = value_gradient + padded * width;
  float* block = key_rows + padded * padded_width;
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t batch = unit / chunks / shape.groups, group = unit / chunks % shape.groups, chunk = unit % chunks;
    const QueryRows rows = query_rows(shape, batch, group);
    const int64_t count = shape.queries * rows.share;
    const int64_t last = count * (chunk + 1) / chunks;
    int64_t row = count * chunk / chunks;
    const int64_t source = (batch * keys * shape.groups + group) * width;
    const int64_t target = chunk * shape.batch * keys * row_stride + source;
    const Stretch reached = row < last ? reached_keys(inputs.ranges, rows, row, last) : Stretch{0, 0};
    GradientHead head = {key_columns, value_columns, nullptr, key_gradient, value_gradient,
                         padded,      0,             width,   padded_width};
    to_columns(inputs.key + source, row_stride, width, reached.start, reached.end, padded, key_columns);
    to_columns(inputs.value + source, row_stride, width, reached.start, reached.end, padded, value_columns);
    head.key_rows = to_rows(inputs.key + source, row_stride, width, padded_width, reached.start, reached.end, key_rows,
                            &head.key_stride);
    memset(key_gradient, 0, 2 * padded * width * sizeof(float));
    for (; row + kBlock <= last; row += kBlock)
      gradient_of_rows<kBlock>(inputs, gradients, rows, head, row, block);
    for (; row < last; row++) gradient_of_rows<1>(inputs, gradients, rows, head, row, block);
    from_columns(key_gradient, padded, width, keys, row_stride, gradients.key + target);
    from_columns(value_gradient, padded, width, keys, row_stride, gradients.value + target);
  }
}
