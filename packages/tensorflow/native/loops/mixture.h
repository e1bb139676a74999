// Mixtures z = sum_j alpha_j table[ids_j], and the gradient of a table that was read at ids.

static void mixture(const float* alpha, const int32_t* ids, const float* table, int64_t count, int64_t width, float* z,
                    int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; row++) {
    const float* shares = alpha + row * count;
    const int32_t* tokens = ids + row * count;
    each_vector(0, width, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
      Floats total = {};
      for (int64_t j = 0; j < count; j++) total += shares[j] * load_lanes(table + tokens[j] * width + at, lanes);
      store_lanes(z + row * width + at, total, lanes);
    });
  }
}

// d alpha_j = dz . table[ids_j].
static void mixture_gradient(const float* dz, const int32_t* ids, const float* table, int64_t count, int64_t width,
                             float* alpha_gradient, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; row++) {
    const float* slope = dz + row * width;
    for (int64_t j = 0; j < count; j++) {
      const float* embedding = table + ids[row * count + j] * width;
      Floats total = {};
      each_vector(0, width, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
        total += load_lanes(slope + at, lanes) * load_lanes(embedding + at, lanes);
      });
      alpha_gradient[row * count + j] = sum(total);
    }
  }
}

// Each caller reads all ids and adds the rows of its own tokens, in their order.
static void sum_by_token(const TokenSum& from, float* sums, int64_t begin, int64_t end) {
  const int64_t width = from.width;
  memset(sums + begin * width, 0, (end - begin) * width * sizeof(float));
  for (int64_t i = 0; i < from.total; i++) {
    const int64_t token = from.ids[i];
    if (token < begin || token >= end) continue;
    const float* row = from.rows + i / from.count * width;
    const float factor = from.factors == nullptr ? 1 : from.factors[i];
    float* to = sums + token * width;
    each_vector(0, width, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
      store_lanes(to + at, load_lanes(to + at, lanes) + load_lanes(row + at, lanes) * factor, lanes);
    });
  }
}
