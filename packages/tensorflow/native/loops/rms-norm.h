// y = x / sqrt(mean(x^2) + epsilon) weight (Zhang and Sennrich 2019).

static void rms_norm(const float* x, const float* weight, float epsilon, int64_t width, float* y, float* inverse,
                     int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; row++) {
    const float* from = x + row * width;
    float* to = y + row * width;
    Floats squares = {};
    each_vector(0, width, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
      const Floats v = load_lanes(from + at, lanes);
      squares += v * v;
    });
    const float scale = 1 / sqrtf(sum(squares) / (float)width + epsilon);
    inverse[row] = scale;
    each_vector(0, width, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
      store_lanes(to + at, load_lanes(from + at, lanes) * scale * load_lanes(weight + at, lanes), lanes);
    });
  }
}

// With n = x inverse: dx = inverse (dy weight - n mean(dy weight n)); dweight is the sum over rows of dy n.
static void rms_norm_gradient(const float* x, const float* weight, const float* inverse, const float* dy,
                              int64_t width, float* x_gradient, float* weight_gradient, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; row++) {
    const float *from = x + row * width, *slope = dy + row * width;
    float* to = x_gradient + row * width;
    const float scale = inverse[row];
    Floats products = {};
    each_vector(0, width, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
      const Floats share = load_lanes(slope + at, lanes) * (load_lanes(from + at, lanes) * scale);
      store_lanes(weight_gradient + at, load_lanes(weight_gradient + at, lanes) + share, lanes);
      products += share * load_lanes(weight + at, lanes);
    });
    const float mean = sum(products) / (float)width;
    each_vector(0, width, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
      const Floats scaled = load_lanes(slope + at, lanes) * load_lanes(weight + at, lanes);
      store_lanes(to + at, scale * (scaled - load_lanes(from + at, lanes) * scale * mean), lanes);
    });
  }
}
