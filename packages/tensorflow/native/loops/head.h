// Losses from hidden states: logits come in tiles that nobody keeps. The labels' own logits are taken out of a tile, so
// that what is left of it sums to the student's tail without a difference of two near numbers.

// Tiles are as wide as whole vectors; what they have beyond the vocabulary counts as logits of -infinity.
LATENT_INLINE int64_t whole_vectors(int64_t count) { return (count + kLanes - 1) / kLanes * kLanes; }

// One stretch [begin, end) of the vocabulary, for one row: logits become exponentials over the row's running maximum, 0
// at labels. What was summed so far under a smaller maximum, [width], is scaled to the new one.
LATENT_INLINE void head_row(const HeadLabels& labels, int64_t row, int64_t begin, int64_t end, float scale,
                            float* tile, float* top, float* total, float* picked, float* sums, int64_t width) {
  const int64_t count = whole_vectors(end - begin);
  for (int64_t j = end - begin; j < count; j++) tile[j] = -__builtin_inff();
  Floats tops = all(-__builtin_inff());
  for (int64_t at = 0; at < count; at += kLanes) {
    const Floats x = load(tile + at) * scale;
    store(tile + at, x);
    tops = larger(x, tops);
  }
  const float maximum = largest(tops);
  if (maximum > *top) {
    const float share = expf(*top - maximum);
    *total *= share;
    each_vector(0, width, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
      store_lanes(sums + at, load_lanes(sums + at, lanes) * share, lanes);
    });
    *top = maximum;
  }
  const int32_t* ids = labels.ids + row * labels.count;
  for (int64_t j = 0; j < labels.count; j++) {
    if (ids[j] < begin || ids[j] >= end) continue;
    picked[row * labels.count + j] = tile[ids[j] - begin];
    tile[ids[j] - begin] = -__builtin_inff();
  }
  Floats totals = {};
  const float over = *top;
  for (int64_t at = 0; at < count; at += kLanes) {
    const Floats e = exp_of(load(tile + at) - over);
    store(tile + at, e);
    totals += e;
  }
  *total += sum(totals);
}

// A unit is one row of the tile, whose rows are `stride` apart: whole vectors.
static void head_stretch(const HeadLabels& labels, const HeadSums& sums, int64_t vocabulary_begin,
                         int64_t vocabulary_end, float scale, float* tile, int64_t stride, int64_t begin,
                         int64_t end) {
  for (int64_t row = begin; row < end; row++)
    head_row(labels, row, vocabulary_begin, vocabulary_end, scale, tile + (row - begin) * stride, sums.tops + row,
             sums.totals + row, sums.picked, sums.rows + row * sums.width, sums.width);
}

// Brings the groups' sums together. State of a row: log-sum-exp, the factor of p outside the labels, the slopes at them.
static void head_finish(const HeadLabels& labels, const HeadSums* groups, int64_t group_count, const float* table,
                        float scale, float* loss, float* slope, float* state, int64_t begin, int64_t end) {
  const int64_t count = labels.count, width = groups[0].width;
  for (int64_t row = begin; row < end; row++) {
    const int32_t* ids = labels.ids + row * count;
    const float* picked = groups[0].picked + row * count;
    float *to = slope + row * width, *own = state + row * (count + 2), *slopes = own + 2;
    float top = groups[0].tops[row];
    for (int64_t g = 1; g < group_count; g++) top = groups[g].tops[row] > top ? groups[g].tops[row] : top;
    float outside = 0, inside_total = 0;
    for (int64_t g = 0; g < group_count; g++) outside += groups[g].totals[row] * expf(groups[g].tops[row] - top);
    for (int64_t j = 0; j < count; j++) inside_total += slopes[j] = expf(picked[j] - top);
    const float total = outside + inside_total, log_sum = top + logf(total);
    float mass = 0, cost = 0;
    for (int64_t j = 0; j < count; j++) {
      const float q = labels.probabilities == nullptr ? 1 : labels.probabilities[row * count + j];
      mass += q;
      cost += q * (safe_log(q) - (picked[j] - log_sum));
    }
    float factor = mass, inside = mass;
    if (labels.tail) {
      const float teacher_tail = mass < 1 ? 1 - mass : 0, student_tail = outside / total;
      cost += teacher_tail * (safe_log(teacher_tail) - safe_log(student_tail));
      inside = mass + teacher_tail;
      factor = inside - teacher_tail / (student_tail > kSmallest ? student_tail : kSmallest);
    }
    own[0] = log_sum;
    own[1] = factor;
    for (int64_t j = 0; j < count; j++) {
      const float q = labels.probabilities == nullptr ? 1 : labels.probabilities[row * count + j];
      slopes[j] = slopes[j] / total * inside - q;
    }
    loss[row] = cost;
    for (int64_t g = 0; g < group_count; g++) {
      const float* from = groups[g].rows + row * width;
      const float share = scale * factor / total * expf(groups[g].tops[row] - top);
      each_vector(0, width, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
        const Floats x = load_lanes(from + at, lanes) * share;
        store_lanes(to + at, g == 0 ? x : load_lanes(to + at, lanes) + x, lanes);
      });
    }
    for (int64_t j = 0; j < count; j++) {
      const float *from = table + ids[j] * width, share = scale * slopes[j];
      each_vector(0, width, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
        store_lanes(to + at, load_lanes(to + at, lanes) + load_lanes(from + at, lanes) * share, lanes);
      });
    }
  }
}

// Logits of a stretch become the slope of sum_r dy_r loss_r in them, from the state of the forward pass.
static void head_slope(const HeadLabels& labels, const float* state, const float* dy, int64_t vocabulary_begin,
                       int64_t vocabulary_end, float scale, float* tile, int64_t stride, int64_t begin, int64_t end) {
  const int64_t count = labels.count;
  for (int64_t row = begin; row < end; row++) {
    float* to = tile + (row - begin) * stride;
    const float *own = state + row * (count + 2), log_sum = own[0], weight = scale * dy[row];
    const float factor = own[1] * weight;
    for (int64_t at = 0; at < vocabulary_end - vocabulary_begin; at += kLanes)
      store(to + at, exp_of(load(to + at) * scale - log_sum) * factor);
    for (int64_t j = 0; j < count; j++) {
      const int64_t id = labels.ids[row * count + j];
      if (id >= vocabulary_begin && id < vocabulary_end) to[id - vocabulary_begin] = own[2 + j] * weight;
    }
  }
}
