// Dropout by a counter-based generator: what is drawn depends on a number's place alone.

// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), the package `random` in C++.
LATENT_INLINE void philox(uint32_t word[4], uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; round++) {
    const uint64_t first = (uint64_t)0xd2511f53 * word[0], second = (uint64_t)0xcd9e8d57 * word[2];
    word[0] = (uint32_t)(second >> 32) ^ word[1] ^ key0;
    word[1] = (uint32_t)second;
    word[2] = (uint32_t)(first >> 32) ^ word[3] ^ key1;
    word[3] = (uint32_t)first;
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
}

static void dropout(const float* x, const DropoutDraw& draw, int64_t count, float* y, int64_t begin, int64_t end) {
  for (int64_t block = begin; block < end; block++) {
    uint32_t word[4] = {(uint32_t)block, draw.step_low, draw.step_high, 0};
    philox(word, draw.key0, draw.key1);
    const int64_t at = 4 * block, numbers = count - at < 4 ? count - at : 4;
    // a product, so that what is dropped keeps its sign and a NaN stays one, as in the composition
    for (int64_t i = 0; i < numbers; i++) y[at + i] = x[at + i] * (word[i] < draw.threshold ? 0.0f : draw.scale);
  }
}
