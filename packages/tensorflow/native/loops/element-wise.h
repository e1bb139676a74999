// Loops over flat vectors. The last, incomplete vector goes through the same arithmetic, so that a number does not
// depend on where a thread's share begins.

// Calls body(place, lanes) for whole vectors, then once for the rest.
template <typename Body>
LATENT_INLINE void each_vector(int64_t begin, int64_t end, Body body) {
  int64_t at = begin;
  for (; at + kLanes <= end; at += kLanes) body(at, (int64_t)kLanes);
  if (at < end) body(at, end - at);
}
LATENT_INLINE Floats load_lanes(const float* from, int64_t lanes) {
  return lanes == kLanes ? load(from) : load_part(from, lanes);
}
LATENT_INLINE void store_lanes(float* to, Floats x, int64_t lanes) {
  if (lanes == kLanes)
    store(to, x);
  else
    store_part(to, x, lanes);
}

static void sum_parts(const float* vectors, int64_t parts, int64_t count, float* total, int64_t begin, int64_t end) {
  each_vector(begin, end, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
    Floats x = {};
    for (int64_t part = 0; part < parts; part++) x += load_lanes(vectors + part * count + at, lanes);
    store_lanes(total + at, x, lanes);
  });
}

// silu(gate) up (Shazeer 2020).
static void swiglu(const float* gate, const float* up, float* y, int64_t begin, int64_t end) {
  each_vector(begin, end, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
    const Floats g = load_lanes(gate + at, lanes);
    store_lanes(y + at, g * sigmoid_of(g) * load_lanes(up + at, lanes), lanes);
  });
}

// d silu = s + silu (1 - s) with s the sigmoid.
static void swiglu_gradient(const float* gate, const float* up, const float* dy, float* gate_gradient,
                            float* up_gradient, int64_t begin, int64_t end) {
  each_vector(begin, end, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
    const Floats g = load_lanes(gate + at, lanes), d = load_lanes(dy + at, lanes);
    const Floats s = sigmoid_of(g);
    const Floats silu = g * s;
    store_lanes(gate_gradient + at, d * load_lanes(up + at, lanes) * (s + silu * (1.0f - s)), lanes);
    store_lanes(up_gradient + at, d * silu, lanes);
  });
}

LATENT_INLINE Floats square_root_of(Floats x) {
  Floats root;
  for (int i = 0; i < kLanes; i++) root[i] = __builtin_sqrtf(x[i]);
  return root;
}

// Loshchilov and Hutter 2019, algorithm 2, with the bias corrections inside rate and epsilon.
static void adam_w(const AdamWSettings& settings, const AdamWVectors& vectors, int64_t begin, int64_t end) {
  const float beta1 = settings.beta1, beta2 = settings.beta2, kept = 1.0f - settings.decay;
  each_vector(begin, end, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
    const Floats gradient = load_lanes(vectors.gradient + at, lanes) * settings.scale;
    const Floats mean = load_lanes(vectors.mean + at, lanes) * beta1 + gradient * (1 - beta1);
    const Floats variance = load_lanes(vectors.variance + at, lanes) * beta2 + gradient * gradient * (1 - beta2);
    const Floats move = mean / (square_root_of(variance) + settings.epsilon);
    store_lanes(vectors.weights + at, load_lanes(vectors.weights + at, lanes) * kept - move * settings.rate, lanes);
    store_lanes(vectors.mean + at, mean, lanes);
    store_lanes(vectors.variance + at, variance, lanes);
  });
}
