// The k words with the largest logits. A list holds logits and words, largest first, of equals the earlier word; what it
// does not hold yet is -infinity and word -1.

LATENT_INLINE void insert_word(float* values, int32_t* words, int64_t count, float value, int32_t word) {
  int64_t at = count - 1;
  for (; at > 0 && value > values[at - 1]; at--) {
    values[at] = values[at - 1];
    words[at] = words[at - 1];
  }
  values[at] = value;
  words[at] = word;
}

LATENT_INLINE bool is_excluded(const TopWords& top, int32_t word) {
  for (int64_t i = 0; i < top.excluded_count; i++)
    if (top.excluded[i] == word) return true;
  return false;
}

// Few of many logits are larger than the last of a list: whole blocks are passed by when their largest is not.
static void top_words(const TopWords& top, const float* logits, int64_t stride, int64_t first_word, int64_t columns,
                      int64_t begin, int64_t end) {
  constexpr int64_t kBlock = 8 * kLanes;
  for (int64_t row = begin; row < end; row++) {
    const float* from = logits + (row - begin) * stride;
    float* values = top.values + row * top.count;
    int32_t* words = top.words + row * top.count;
    const float* last = values + top.count - 1;
    for (int64_t at = 0; at < columns; at += kBlock) {
      const int64_t size = at + kBlock <= columns ? kBlock : columns - at;
      if (size == kBlock) {
        Floats tops = load(from + at);
        for (int64_t i = kLanes; i < kBlock; i += kLanes) tops = larger(load(from + at + i), tops);
        if (!(largest(tops) > *last)) continue;
      }
      for (int64_t j = at; j < at + size; j++) {
        const auto word = static_cast<int32_t>(first_word + j);
        if (from[j] > *last && !is_excluded(top, word)) insert_word(values, words, top.count, from[j], word);
      }
    }
  }
}

// Lists of later stretches of the vocabulary, [stretches, rows, k], go into the first one; where fewer words than k
// could be chosen, the first ones that were not follow, with the logit `rest`.
static void merge_top_words(const TopWords& top, int64_t stretches, int64_t rows, float rest, int64_t begin,
                            int64_t end) {
  for (int64_t row = begin; row < end; row++) {
    float* values = top.values + row * top.count;
    int32_t* words = top.words + row * top.count;
    for (int64_t s = 1; s < stretches; s++) {
      const int64_t other = (s * rows + row) * top.count;
      for (int64_t i = 0; i < top.count && top.values[other + i] > values[top.count - 1]; i++)
        insert_word(values, words, top.count, top.values[other + i], top.words[other + i]);
    }
    int32_t next = 0;
    for (int64_t i = 0; i < top.count; i++) {
      if (words[i] >= 0) continue;
      for (bool held = true; held; next += held) {
        held = false;
        for (int64_t j = 0; j < i; j++) held = held || words[j] == next;
      }
      values[i] = rest;
      words[i] = next++;
    }
  }
}
