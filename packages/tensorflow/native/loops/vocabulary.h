// Losses over rows of logits; each makes its value and d loss / d logits in one go. Logarithms of probabilities are
// cut off at 1e-12, so that a label of probability 0 costs nothing.

constexpr float kSmallest = 1e-12f;
LATENT_INLINE float safe_log(float x) { return logf(x > kSmallest ? x : kSmallest); }

// Softmax of a row into `p`; log p_j = logits_j - the returned log-sum-exp.
LATENT_INLINE float softmax_row(const float* logits, int64_t vocabulary, float* p) {
  Floats top = all(-__builtin_inff());
  each_vector(0, vocabulary / kLanes * kLanes, [&](int64_t at, int64_t) __attribute__((always_inline)) {
    top = larger(load(logits + at), top);
  });
  float maximum = largest(top);
  for (int64_t j = vocabulary / kLanes * kLanes; j < vocabulary; j++)
    maximum = logits[j] > maximum ? logits[j] : maximum;
  Floats totals = {};
  each_vector(0, vocabulary, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
    const Floats e = exp_of(load_lanes(logits + at, lanes) - maximum);
    store_lanes(p + at, e, lanes);
    totals += lanes == kLanes ? e : load_part(p + at, lanes);
  });
  const float total = sum(totals), share = 1 / total;
  each_vector(0, vocabulary, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
    store_lanes(p + at, load_lanes(p + at, lanes) * share, lanes);
  });
  return maximum + logf(total);
}

static void cross_entropy(const float* logits, const int32_t* targets, int64_t vocabulary, float* loss, float* slope,
                          int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; row++) {
    const float* from = logits + row * vocabulary;
    float* to = slope + row * vocabulary;
    loss[row] = softmax_row(from, vocabulary, to) - from[targets[row]];
    to[targets[row]] -= 1;
  }
}

// sum_j q_j (log q_j - log p_j); slope p sum(q) - q.
static void full_kl(const float* logits, const float* teacher, int64_t vocabulary, float* loss, float* slope,
                    int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; row++) {
    const float *from = logits + row * vocabulary, *q = teacher + row * vocabulary;
    float* to = slope + row * vocabulary;
    const float log_sum = softmax_row(from, vocabulary, to);
    Floats masses = {}, costs = {};
    each_vector(0, vocabulary, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
      const Floats label = load_lanes(q + at, lanes);
      const Floats log_p = load_lanes(from + at, lanes) - log_sum;
      masses += label;
      costs += label * (log_of(larger(label, all(kSmallest))) - log_p);
    });
    const float mass = sum(masses);
    each_vector(0, vocabulary, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
      store_lanes(to + at, load_lanes(to + at, lanes) * mass - load_lanes(q + at, lanes), lanes);
    });
    loss[row] = sum(costs);
  }
}

// sum_{j in I} q_j (log q_j - log p_j), and with `tail` one bucket for all tokens outside I on both sides; the bucket
// moves its mass onto the tokens outside by their shares of the student's tail.
static void sparse_kl(const float* logits, const SparseTeacher& teacher, int64_t vocabulary, float* loss, float* slope,
                      int64_t begin, int64_t end) {
  const int64_t count = teacher.count;
  for (int64_t row = begin; row < end; row++) {
    const float *from = logits + row * vocabulary, *q = teacher.probabilities + row * count;
    const int32_t* ids = teacher.ids + row * count;
    float* to = slope + row * vocabulary;
    const float log_sum = softmax_row(from, vocabulary, to);
    float mass = 0, cost = 0;
    for (int64_t j = 0; j < count; j++) {
      mass += q[j];
      cost += q[j] * (safe_log(q[j]) - (from[ids[j]] - log_sum));
    }
    float factor = mass;  // of p on the tokens outside
    float inside = mass;  // of p on the labels
    if (teacher.tail) {
      const float teacher_tail = mass < 1 ? 1 - mass : 0;
      // summed over the tokens outside: 1 minus the labels' share would lose a small tail to rounding
      for (int64_t j = 0; j < count; j++) to[ids[j]] = -to[ids[j]];
      Floats outside = {};
      each_vector(0, vocabulary, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
        outside += larger(load_lanes(to + at, lanes), Floats{});
      });
      const float student_tail = sum(outside);
      cost += teacher_tail * (safe_log(teacher_tail) - safe_log(student_tail));
      inside = mass + teacher_tail;
      factor = inside - teacher_tail / (student_tail > kSmallest ? student_tail : kSmallest);
    }
    each_vector(0, vocabulary, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
      store_lanes(to + at, load_lanes(to + at, lanes) * factor, lanes);
    });
    for (int64_t j = 0; j < count; j++) to[ids[j]] = expf(from[ids[j]] - log_sum) * inside - q[j];
    loss[row] = cost;
  }
}

static void scale_rows(const float* rows, const float* factors, int64_t width, float* y, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; row++) {
    const float factor = factors[row];
    each_vector(row * width, (row + 1) * width, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
      store_lanes(y + at, load_lanes(rows + at, lanes) * factor, lanes);
    });
  }
}
