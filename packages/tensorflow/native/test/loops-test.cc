// Every loop on every instruction set of this processor against plain loops in double precision, on exactly sized
// buffers, for a build with sanitizers. Prints one line and exits with 1 at the first number that is off.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "../loops/loops.h"

using latent::Loops;
typedef std::vector<float> Numbers;
typedef std::vector<double> Doubles;

static std::mt19937 generator(20251015);
static int compared = 0;

static int below(int limit) { return (int)(generator() % (unsigned)limit); }
static Numbers normal(size_t count, float scale = 1) {
  std::normal_distribution<float> draw(0, scale);
  Numbers x(count);
  for (float& v : x) v = draw(generator);
  return x;
}

// Working memory full of NaN, so that nothing can be read before it is written.
struct Scratch {
  explicit Scratch(int64_t count) : data(static_cast<float*>(aligned_alloc(64, (count * 4 + 63) / 64 * 64))) {
    std::fill(data, data + count, NAN);
  }
  ~Scratch() { free(data); }
  float* const data;
};

static void expect_close(const std::string& what, const Numbers& actual, const Doubles& expected, double relative,
                         double absolute) {
  for (size_t i = 0; i < expected.size(); i++) {
    compared++;
    if (fabs(actual[i] - expected[i]) <= absolute + relative * fabs(expected[i])) continue;
    printf("%s: expected %.9g at %zu, got %.9g\n", what.c_str(), expected[i], i, actual[i]);
    exit(1);
  }
}

// Calls run(begin, end) over uneven parts of [0, count).
static void in_parts(int64_t count, const std::function<void(int64_t, int64_t)>& run) {
  for (int64_t begin = 0; begin < count;) {
    const int64_t end = std::min<int64_t>(count, begin + 1 + below(2 * (int)count));
    run(begin, end);
    begin = end;
  }
}

static std::vector<int32_t> random_ranges(const latent::AttentionShape& s) {
  std::vector<int32_t> ranges;
  for (int64_t query = 0; query < s.batch * s.queries; query++) {
    std::vector<int32_t> limits;
    for (int i = 0; i < 6; i++) limits.push_back(below(5) == 0 && i > 0 ? limits.back() : below((int)s.keys + 1));
    std::sort(limits.begin(), limits.end());
    ranges.insert(ranges.end(), limits.begin(), limits.end());
  }
  return ranges;
}

static void test_attention(const Loops& loops, const latent::AttentionShape& s) {
  const int64_t rows = s.batch * s.queries * s.heads, keys = s.batch * s.keys * s.groups, d = s.width;
  const Numbers q = normal(rows * d, 2), k = normal(keys * d), v = normal(keys * d), dy = normal(rows * d);
  const std::vector<int32_t> ranges = random_ranges(s);
  Doubles y(rows * d), lse(rows), dq(rows * d), dk(keys * d), dv(keys * d);
  for (int64_t b = 0; b < s.batch; b++)
    for (int64_t t = 0; t < s.queries; t++)
      for (int64_t h = 0; h < s.heads; h++) {
        const int64_t at = ((b * s.queries + t) * s.heads + h) * d;
        std::vector<int64_t> seen;
        Doubles scores;
        double total = 0;
        for (int i = 0; i < 3; i++)
          for (int64_t j = ranges[((b * s.queries + t) * 3 + i) * 2]; j < ranges[((b * s.queries + t) * 3 + i) * 2 + 1]; j++) {
            seen.push_back(((b * s.keys + j) * s.groups + h * s.groups / s.heads) * d);
            double dot = 0;
            for (int64_t c = 0; c < d; c++) dot += (double)q[at + c] * k[seen.back() + c];
            scores.push_back(dot / sqrt((double)d));
            total += exp(scores.back());
          }
        lse[(b * s.heads + h) * s.queries + t] = seen.empty() ? 0 : log(total);
        double share = 0;
        Doubles slopes(seen.size());
        for (size_t j = 0; j < seen.size(); j++) {
          const double w = exp(scores[j]) / total;
          for (int64_t c = 0; c < d; c++) {
            y[at + c] += w * v[seen[j] + c];
            dv[seen[j] + c] += w * dy[at + c];
            slopes[j] += (double)dy[at + c] * v[seen[j] + c];
          }
          share += w * slopes[j];
        }
        for (size_t j = 0; j < seen.size(); j++) {
          const double slope = exp(scores[j]) / total * (slopes[j] - share) / sqrt((double)d);
          for (int64_t c = 0; c < d; c++) {
            dq[at + c] += slope * k[seen[j] + c];
            dk[seen[j] + c] += slope * q[at + c];
          }
        }
      }
  const int64_t chunks = loops.attention_gradient_chunks(s);
  Numbers output(rows * d), sums(rows), query_gradient(rows * d), key_gradient(keys * d), value_gradient(keys * d);
  // full of NaN: only what a chunk says it reached is written, and summed
  Numbers key_chunks(chunks * keys * d, NAN), value_chunks(chunks * keys * d, NAN);
  std::vector<int32_t> reached(chunks * s.batch * 2);
  const latent::AttentionInputs inputs = {q.data(), k.data(), v.data(), ranges.data()};
  in_parts(loops.attention_units(s), [&](int64_t begin, int64_t end) {
    const Scratch scratch(loops.attention_scratch(s));
    loops.attention(s, inputs, output.data(), sums.data(), begin, end, scratch.data);
  });
  const std::string name = std::string(loops.instruction_set) + " attention ";
  expect_close(name + "output", output, y, 2e-5, 5e-6);
  expect_close(name + "log-sum-exp", sums, lse, 2e-5, 5e-6);
  const latent::AttentionGradients gradients = {output.data(),         sums.data(),         dy.data(),
                                                query_gradient.data(), key_chunks.data(), value_chunks.data(),
                                                reached.data()};
  in_parts(s.batch * s.groups * chunks, [&](int64_t begin, int64_t end) {
    const Scratch scratch(loops.attention_gradient_scratch(s));
    loops.attention_gradient(s, inputs, gradients, begin, end, scratch.data);
  });
  in_parts(s.batch * s.keys, [&](int64_t begin, int64_t end) {
    loops.sum_key_chunks(s, reached.data(), key_chunks.data(), key_gradient.data(), begin, end);
    loops.sum_key_chunks(s, reached.data(), value_chunks.data(), value_gradient.data(), begin, end);
  });
  expect_close(name + "query gradient", query_gradient, dq, 2e-4, 5e-5);
  expect_close(name + "key gradient", key_gradient, dk, 2e-4, 5e-5);
  expect_close(name + "value gradient", value_gradient, dv, 2e-4, 5e-5);
}

static void test_element_wise(const Loops& loops, int64_t count) {
  const std::string name = loops.instruction_set;
  Numbers gate = normal(count, 4);
  const Numbers up = normal(count), dy = normal(count);
  gate[0] = -100;
  if (count > 1) gate[1] = 100;
  Numbers y(count), dgate(count), dup(count);
  Doubles expected(count), gate_slope(count), up_slope(count);
  for (int64_t i = 0; i < count; i++) {
    const double s = 1 / (1 + exp(-(double)gate[i]));
    expected[i] = gate[i] * s * up[i];
    gate_slope[i] = dy[i] * up[i] * (s + gate[i] * s * (1 - s));
    up_slope[i] = dy[i] * gate[i] * s;
  }
  in_parts(count, [&](int64_t begin, int64_t end) {
    loops.swiglu(gate.data(), up.data(), y.data(), begin, end);
    loops.swiglu_gradient(gate.data(), up.data(), dy.data(), dgate.data(), dup.data(), begin, end);
  });
  expect_close(name + " swiglu", y, expected, 2e-6, 1e-7);
  expect_close(name + " swiglu gate gradient", dgate, gate_slope, 5e-6, 1e-6);
  expect_close(name + " swiglu up gradient", dup, up_slope, 2e-6, 1e-7);

  const float decay = 0.001f, scale = 0.75f;
  const latent::AdamWSettings settings = {0.9f, 0.95f, 1e-8f, 0.01f, decay, scale};
  Numbers weight = gate, mean = up, variance = normal(count);
  for (float& x : variance) x = x * x;
  Doubles weights(count), means(count), variances(count);
  for (int64_t i = 0; i < count; i++) {
    const double slope = (double)dy[i] * scale;
    means[i] = (double)settings.beta1 * up[i] + (1 - (double)settings.beta1) * slope;
    variances[i] = (double)settings.beta2 * variance[i] + (1 - (double)settings.beta2) * slope * slope;
    weights[i] = gate[i] * (1 - (double)decay) - means[i] / (sqrt(variances[i]) + settings.epsilon) * settings.rate;
  }
  const latent::AdamWVectors vectors = {dy.data(), weight.data(), mean.data(), variance.data()};
  in_parts(count, [&](int64_t begin, int64_t end) { loops.adam_w(settings, vectors, begin, end); });
  expect_close(name + " adamW weights", weight, weights, 1e-5, 1e-6);
  expect_close(name + " adamW mean", mean, means, 1e-5, 1e-6);
  expect_close(name + " adamW variance", variance, variances, 1e-5, 1e-6);
}

// What Random123's known answer of Philox4x32-10 (kat_vectors) keeps; then counts, parts and the last block.
static void test_dropout(const Loops& loops) {
  const std::string name = std::string(loops.instruction_set) + " dropout";
  const float scale = 1.25f;
  const uint32_t words[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  const Numbers ones(4, 1.0f);
  for (const uint32_t word : words)
    for (const uint32_t threshold : {word, word + 1}) {
      Numbers y(4);
      Doubles expected(4);
      for (int i = 0; i < 4; i++) expected[i] = words[i] < threshold ? 0 : scale;
      loops.dropout(ones.data(), {threshold, 0, 0, 0, 0, scale}, 4, y.data(), 0, 1);
      expect_close(name, y, expected, 0, 0);
    }
  for (const int64_t count : {1, 3, 4, 6, 1001}) {
    const latent::DropoutDraw draw = {1u << 30, 7, 1, 12345, 678910, scale};
    const Numbers x = normal(count);
    Numbers whole(count), parts(count);
    const int64_t blocks = (count + 3) / 4;
    loops.dropout(x.data(), draw, count, whole.data(), 0, blocks);
    in_parts(blocks, [&](int64_t begin, int64_t end) {
      loops.dropout(x.data(), draw, count, parts.data(), begin, end);
    });
    expect_close(name + " in parts", parts, Doubles(whole.begin(), whole.end()), 0, 0);
    Doubles scaled(count);
    double kept = 0;
    for (int64_t i = 0; i < count; i++) {
      kept += whole[i] != 0;
      scaled[i] = whole[i] == 0 ? 0 : x[i] * scale;
    }
    expect_close(name + " scale", whole, scaled, 0, 0);
    if (count > 1000) expect_close(name + " rate", {(float)(kept / count)}, {0.75}, 0, 0.05);
  }
}

static void test_rms_norm(const Loops& loops, int64_t rows, int64_t width) {
  const Numbers x = normal(rows * width), weight = normal(width), dy = normal(rows * width);
  Numbers y(rows * width), inverse(rows), dx(rows * width), dweight(width);
  Doubles expected(rows * width), x_slope(rows * width), weight_slope(width);
  for (int64_t r = 0; r < rows; r++) {
    double squares = 0, mean = 0;
    for (int64_t i = 0; i < width; i++) squares += (double)x[r * width + i] * x[r * width + i];
    const double scale = 1 / sqrt(squares / width + 1e-5);
    for (int64_t i = 0; i < width; i++) {
      const int64_t at = r * width + i;
      expected[at] = x[at] * scale * weight[i];
      mean += (double)dy[at] * weight[i] * x[at] * scale / width;
      weight_slope[i] += (double)dy[at] * x[at] * scale;
    }
    for (int64_t i = 0; i < width; i++) {
      const int64_t at = r * width + i;
      x_slope[at] = scale * ((double)dy[at] * weight[i] - x[at] * scale * mean);
    }
  }
  in_parts(rows, [&](int64_t begin, int64_t end) {
    loops.rms_norm(x.data(), weight.data(), 1e-5f, width, y.data(), inverse.data(), begin, end);
    loops.rms_norm_gradient(x.data(), weight.data(), inverse.data(), dy.data(), width, dx.data(), dweight.data(), begin,
                            end);
  });
  const std::string name = std::string(loops.instruction_set) + " rmsNorm";
  expect_close(name, y, expected, 2e-6, 1e-6);
  expect_close(name + " x gradient", dx, x_slope, 1e-5, 5e-6);
  expect_close(name + " weight gradient", dweight, weight_slope, 1e-5, 1e-5);
}

static void test_rotary(const Loops& loops, int64_t positions, int64_t heads, int64_t width) {
  const Numbers x = normal(positions * heads * width), cosine = normal(positions * width);
  const Numbers sine = normal(positions * width);
  for (const float turn : {1.0f, -1.0f}) {
    Numbers y(x.size());
    Doubles expected(x.size());
    for (size_t i = 0; i < x.size(); i++) {
      const int64_t c = (int64_t)i % width, at = (int64_t)i / width / heads * width + c;
      const int64_t other = (int64_t)i + (c < width / 2 ? width / 2 : -width / 2);
      expected[i] = (double)x[i] * cosine[at] + turn * (double)x[other] * sine[at];
    }
    in_parts(positions, [&](int64_t begin, int64_t end) {
      loops.rotary(x.data(), cosine.data(), sine.data(), turn, heads, width, y.data(), begin, end);
    });
    expect_close(std::string(loops.instruction_set) + " rotary", y, expected, 1e-5, 1e-5);
  }
}

static void test_vocabulary(const Loops& loops, int64_t rows, int64_t vocabulary, int64_t count) {
  const std::string name = loops.instruction_set;
  const Numbers logits = normal(rows * vocabulary, 3);
  std::vector<int32_t> targets(rows), ids;
  Numbers teacher(rows * vocabulary), labels(rows * count), loss(rows), slope(rows * vocabulary);
  Doubles p(rows * vocabulary), log_p(rows * vocabulary);
  for (int64_t r = 0; r < rows; r++) {
    double total = 0, teacher_total = 0;
    for (int64_t j = 0; j < vocabulary; j++) {
      total += exp((double)logits[r * vocabulary + j]);
      teacher[r * vocabulary + j] = (float)below(1000);
      teacher_total += teacher[r * vocabulary + j] += j == 0;
    }
    for (int64_t j = 0; j < vocabulary; j++) {
      log_p[r * vocabulary + j] = logits[r * vocabulary + j] - log(total);
      p[r * vocabulary + j] = exp(log_p[r * vocabulary + j]);
      teacher[r * vocabulary + j] = (float)(teacher[r * vocabulary + j] / teacher_total);
    }
    targets[r] = below((int)vocabulary);
    std::vector<int32_t> order(vocabulary);
    for (int64_t j = 0; j < vocabulary; j++) order[j] = (int32_t)j;
    std::shuffle(order.begin(), order.end(), generator);
    ids.insert(ids.end(), order.begin(), order.begin() + count);
    for (int64_t j = 0; j < count; j++) labels[r * count + j] = (1 + (float)below(9)) / (10 * (float)count);
  }
  Doubles costs(rows), slopes(rows * vocabulary);
  for (int64_t r = 0; r < rows; r++) {
    costs[r] = -log_p[r * vocabulary + targets[r]];
    for (int64_t j = 0; j < vocabulary; j++)
      slopes[r * vocabulary + j] = p[r * vocabulary + j] - (j == targets[r] ? 1 : 0);
  }
  in_parts(rows, [&](int64_t begin, int64_t end) {
    loops.cross_entropy(logits.data(), targets.data(), vocabulary, loss.data(), slope.data(), begin, end);
  });
  expect_close(name + " crossEntropy", loss, costs, 5e-6, 5e-6);
  expect_close(name + " crossEntropy slope", slope, slopes, 1e-5, 1e-6);

  for (int64_t r = 0; r < rows; r++) {
    double mass = 0;
    costs[r] = 0;
    for (int64_t j = 0; j < vocabulary; j++) {
      const double q = teacher[r * vocabulary + j];
      mass += q;
      costs[r] += q * (log(std::max(q, 1e-12)) - log_p[r * vocabulary + j]);
    }
    for (int64_t j = 0; j < vocabulary; j++)
      slopes[r * vocabulary + j] = p[r * vocabulary + j] * mass - teacher[r * vocabulary + j];
  }
  in_parts(rows, [&](int64_t begin, int64_t end) {
    loops.full_kl(logits.data(), teacher.data(), vocabulary, loss.data(), slope.data(), begin, end);
  });
  expect_close(name + " fullKl", loss, costs, 5e-6, 1e-5);
  expect_close(name + " fullKl slope", slope, slopes, 1e-5, 1e-6);

  for (const bool tail : {false, true}) {
    for (int64_t r = 0; r < rows; r++) {
      Doubles q(vocabulary, 0.0);
      double mass = 0, outside = 0;
      costs[r] = 0;
      for (int64_t j = 0; j < count; j++) {
        const int32_t id = ids[r * count + j];
        q[id] = labels[r * count + j];
        mass += q[id];
        costs[r] += q[id] * (log(std::max(q[id], 1e-12)) - log_p[r * vocabulary + id]);
      }
      for (int64_t j = 0; j < vocabulary; j++) outside += q[j] == 0 ? p[r * vocabulary + j] : 0;
      const double bucket = tail ? std::max(0.0, 1 - mass) : 0;
      if (tail) costs[r] += bucket * (log(std::max(bucket, 1e-12)) - log(std::max(outside, 1e-12)));
      for (int64_t j = 0; j < vocabulary; j++)
        slopes[r * vocabulary + j] =
            p[r * vocabulary + j] * (mass + bucket) - q[j] -
            (q[j] == 0 ? p[r * vocabulary + j] * bucket / std::max(outside, 1e-12) : 0);
    }
    const latent::SparseTeacher sparse = {ids.data(), labels.data(), count, tail};
    in_parts(rows, [&](int64_t begin, int64_t end) {
      loops.sparse_kl(logits.data(), sparse, vocabulary, loss.data(), slope.data(), begin, end);
    });
    expect_close(name + " sparseKl", loss, costs, 1e-5, 2e-5);
    expect_close(name + " sparseKl slope", slope, slopes, 1e-4, 5e-6);
  }

  Numbers scaled(rows * vocabulary);
  for (int64_t i = 0; i < rows * vocabulary; i++) slopes[i] = (double)slope[i] * loss[i / vocabulary];
  in_parts(rows, [&](int64_t begin, int64_t end) {
    loops.scale_rows(slope.data(), loss.data(), vocabulary, scaled.data(), begin, end);
  });
  expect_close(name + " scaled rows", scaled, slopes, 1e-6, 1e-7);
}

// Rows of D numbers with two groups of a vocabulary, in stretches that do not divide it.
static void test_head(const Loops& loops, int64_t rows, int64_t vocabulary, int64_t count, int64_t width, bool tail) {
  const std::string name = std::string(loops.instruction_set) + " head loss ";
  const Numbers hidden = normal(rows * width), table = normal(vocabulary * width), dy = normal(rows);
  const float scale = 0.7f;
  std::vector<int32_t> ids;
  Numbers labels(rows * count);
  Doubles costs(rows), slopes(rows * width), weights(rows * vocabulary);
  for (int64_t r = 0; r < rows; r++) {
    std::vector<int32_t> order(vocabulary);
    for (int64_t j = 0; j < vocabulary; j++) order[j] = (int32_t)j;
    std::shuffle(order.begin(), order.end(), generator);
    ids.insert(ids.end(), order.begin(), order.begin() + count);
    Doubles p(vocabulary), q(vocabulary, 0.0);
    double total = 0, mass = 0, outside = 0;
    for (int64_t j = 0; j < vocabulary; j++) {
      double dot = 0;
      for (int64_t i = 0; i < width; i++) dot += (double)hidden[r * width + i] * table[j * width + i];
      total += p[j] = exp(scale * dot);
    }
    for (double& x : p) x /= total;
    for (int64_t j = 0; j < count; j++) {
      labels[r * count + j] = (1 + (float)below(9)) / (10 * (float)count);
      mass += q[order[j]] = labels[r * count + j];
      costs[r] += q[order[j]] * (log(q[order[j]]) - log(p[order[j]]));
    }
    for (int64_t j = 0; j < vocabulary; j++) outside += q[j] == 0 ? p[j] : 0;
    const double bucket = tail ? std::max(0.0, 1 - mass) : 0;
    if (tail) costs[r] += bucket * (log(std::max(bucket, 1e-12)) - log(std::max(outside, 1e-12)));
    for (int64_t j = 0; j < vocabulary; j++) {
      const double slope =
          p[j] * (mass + bucket) - q[j] - (q[j] == 0 ? p[j] * bucket / std::max(outside, 1e-12) : 0);
      weights[r * vocabulary + j] = scale * dy[r] * slope;
      for (int64_t i = 0; i < width; i++) slopes[r * width + i] += scale * slope * table[j * width + i];
    }
  }
  const latent::HeadLabels teacher = {ids.data(), labels.data(), count, tail};
  const int64_t split = vocabulary / 2;
  Numbers picked(rows * count), sums[2], tops[2], totals[2];
  std::vector<latent::HeadSums> groups;
  for (int g = 0; g < 2; g++) {
    sums[g].assign(rows * width, 0), tops[g].assign(rows, -INFINITY), totals[g].assign(rows, 0);
    groups.push_back({sums[g].data(), tops[g].data(), totals[g].data(), picked.data(), width});
    const int64_t last = g == 0 ? split : vocabulary;
    for (int64_t from = g == 0 ? 0 : split; from < last;) {
      const int64_t to = std::min<int64_t>(last, from + 1 + below(20)), stride = (to - from + 15) / 16 * 16;
      in_parts(rows, [&](int64_t begin, int64_t end) {
        const Scratch tile((end - begin) * stride);
        loops.product(latent::Form::kNT, end - begin, to - from, width, hidden.data() + begin * width, width,
                      table.data() + from * width, width, tile.data, stride, false);
        loops.head_stretch(teacher, groups[g], from, to, scale, tile.data, stride, begin, end);
        loops.product(latent::Form::kNN, end - begin, width, to - from, tile.data, stride,
                      table.data() + from * width, width, sums[g].data() + begin * width, width, true);
      });
      from = to;
    }
  }
  Numbers loss(rows), slope(rows * width), state(rows * (count + 2));
  in_parts(rows, [&](int64_t begin, int64_t end) {
    loops.head_finish(teacher, groups.data(), 2, table.data(), scale, loss.data(), slope.data(), state.data(), begin,
                      end);
  });
  expect_close(name, loss, costs, 2e-5, 2e-5);
  expect_close(name + "slope", slope, slopes, 1e-4, 2e-5);

  const int64_t stride = (vocabulary + 15) / 16 * 16;
  const Scratch tile(rows * stride);
  loops.product(latent::Form::kNT, rows, vocabulary, width, hidden.data(), width, table.data(), width, tile.data, stride,
                false);
  in_parts(rows, [&](int64_t begin, int64_t end) {
    loops.head_slope(teacher, state.data(), dy.data(), 0, vocabulary, scale, tile.data + begin * stride, stride, begin,
                     end);
  });
  Numbers made;
  for (int64_t r = 0; r < rows; r++)
    made.insert(made.end(), tile.data + r * stride, tile.data + r * stride + vocabulary);
  expect_close(name + "slope of logits", made, weights, 1e-4, 2e-5);
}

static void test_mixture(const Loops& loops, int64_t rows, int64_t count, int64_t width) {
  const int64_t vocabulary = 1 + below(20);
  const Numbers alpha = normal(rows * count), table = normal(vocabulary * width), dz = normal(rows * width);
  std::vector<int32_t> ids(rows * count);
  for (int32_t& id : ids) id = below((int)vocabulary);
  Numbers z(rows * width), dalpha(rows * count), dtable(vocabulary * width), plain(vocabulary * width);
  Doubles table_slopes(vocabulary * width), plain_slopes(vocabulary * width);
  Doubles expected(rows * width), slopes(rows * count);
  for (int64_t i = 0; i < rows * count; i++)
    for (int64_t c = 0; c < width; c++) {
      expected[i / count * width + c] += (double)alpha[i] * table[ids[i] * width + c];
      slopes[i] += (double)dz[i / count * width + c] * table[ids[i] * width + c];
      table_slopes[ids[i] * width + c] += (double)alpha[i] * dz[i / count * width + c];
      plain_slopes[ids[i] * width + c] += dz[i / count * width + c];
    }
  const latent::TokenSum mixed = {dz.data(), ids.data(), alpha.data(), rows * count, count, width};
  latent::TokenSum looked_up = mixed;
  looked_up.factors = nullptr;
  in_parts(vocabulary, [&](int64_t begin, int64_t end) {
    loops.sum_by_token(mixed, dtable.data(), begin, end);
    loops.sum_by_token(looked_up, plain.data(), begin, end);
  });
  expect_close(std::string(loops.instruction_set) + " mixture table gradient", dtable, table_slopes, 1e-5, 1e-5);
  expect_close(std::string(loops.instruction_set) + " embedding gradient", plain, plain_slopes, 1e-5, 1e-5);
  in_parts(rows, [&](int64_t begin, int64_t end) {
    loops.mixture(alpha.data(), ids.data(), table.data(), count, width, z.data(), begin, end);
    loops.mixture_gradient(dz.data(), ids.data(), table.data(), count, width, dalpha.data(), begin, end);
  });
  expect_close(std::string(loops.instruction_set) + " mixture", z, expected, 1e-5, 5e-6);
  expect_close(std::string(loops.instruction_set) + " mixture gradient", dalpha, slopes, 1e-5, 1e-5);
}

static void test_packed(const Loops& loops, int64_t rows, int64_t out, int64_t in) {
  const Numbers weight = normal(out * in), x = normal(rows * in), before = normal(rows * out);
  for (const int bits : {32, 16, 8}) {
    latent::PackedMap map = {nullptr, out, in, (latent::WeightFormat)bits};
    Numbers words(out * map.words_per_row(), NAN);
    in_parts(out, [&](int64_t begin, int64_t end) { loops.pack_rows(weight.data(), map, words.data(), begin, end); });
    map.words = words.data();
    Doubles expected(rows * out), added(rows * out);
    for (int64_t c = 0; c < out; c++) {
      // as the weights were rounded: 8 bits of fraction, or 127 steps up to the largest of the row
      double top = 0;
      for (int64_t i = 0; i < in; i++) top = std::max(top, (double)fabsf(weight[c * in + i]));
      for (int64_t i = 0; i < in; i++) {
        const float w = weight[c * in + i];
        double rounded = w;
        if (bits == 16) {
          int exponent;
          const double fraction = frexp(w, &exponent);
          rounded = ldexp(nearbyint(ldexp(fraction, 8)), exponent - 8);
        }
        if (bits == 8) rounded = nearbyintf(w * (127 / (float)top)) * (double)((float)top / 127);
        for (int64_t r = 0; r < rows; r++) expected[r * out + c] += rounded * x[r * in + i];
      }
    }
    Numbers y(rows * out, NAN), sums = before, alone(rows * out);
    in_parts(out, [&](int64_t begin, int64_t end) {
      loops.packed_rows(map, x.data(), rows, y.data(), false, begin, end);
      loops.packed_rows(map, x.data(), rows, sums.data(), true, begin, end);
    });
    for (size_t i = 0; i < added.size(); i++) added[i] = before[i] + expected[i];
    const std::string name = std::string(loops.instruction_set) + " packed rows of " + std::to_string(bits) + " bits";
    expect_close(name, y, expected, 1e-5, 2e-5);
    expect_close(name + ", added", sums, added, 1e-5, 2e-5);
    Numbers weights(out * in, NAN);
    loops.unpack_rows(map, weights.data(), 0, out);
    for (int64_t i = 0; i < rows * out; i++) {
      expected[i] = 0;
      for (int64_t k = 0; k < in; k++) expected[i] += (double)weights[i % out * in + k] * x[i / out * in + k];
    }
    expect_close(name + ", unpacked", y, expected, 1e-5, 2e-5);
    // the same to the bit whatever rows are computed with it
    for (int64_t r = 0; r < rows; r++) loops.packed_rows(map, x.data() + r * in, 1, alone.data() + r * out, false, 0, out);
    expect_close(name + ", alone", alone, Doubles(y.begin(), y.end()), 0, 0);
  }
}

#include "columns-test.h"
#include "products-test.h"

static void test_all(const Loops& loops) {
  test_products(loops);
  for (int i = 0; i < 150; i++) {
    const int64_t groups = 1 + below(3);
    latent::AttentionShape shape = {1 + below(3), 1 + below(9),           1 + below(i % 3 == 0 ? 700 : 40),
                                    groups * (1 + below(3)), groups, 1 + below(i % 2 == 0 ? 40 : 6)};
    test_attention(loops, shape);
  }
  test_attention(loops, {1, 300, 300, 2, 1, 16});
  test_attention(loops, {1, 140, 1200, 4, 2, 64});
  test_attention(loops, {2, 5, 1100, 3, 3, 19});
  for (const int64_t count : {1, 3, 16, 33, 1000}) test_element_wise(loops, count);
  test_dropout(loops);
  for (const int64_t width : {1, 5, 16, 64, 67}) test_rms_norm(loops, 1 + below(9), width);
  for (const int64_t width : {2, 6, 16, 32, 64, 128}) test_rotary(loops, 1 + below(5), 1 + below(4), width);
  for (const int64_t vocabulary : {2, 7, 16, 42, 333})
    test_vocabulary(loops, 1 + below(6), vocabulary, 1 + below((int)std::min<int64_t>(vocabulary - 1, 10)));
  for (const int64_t vocabulary : {2, 7, 16, 42, 133})
    for (const bool tail : {false, true})
      test_head(loops, 1 + below(40), vocabulary, 1 + below((int)std::min<int64_t>(vocabulary - 1, 10)), 1 + below(20),
                tail);
  for (const int64_t in : {1, 2, 5, 16, 19, 64, 101})
    for (const int64_t rows : {1, 2, 3, 4, 7, 33}) test_packed(loops, rows, 1 + below(20), in);
  for (const int64_t in : {1, 5, 16, 33, 64})
    for (const int64_t rows : {1, 15, 16, 17, 33, 48}) test_columns(loops, rows, 1 + below(60), in);
  for (const int64_t width : {1, 15, 16, 64, 100}) test_mixture(loops, 1 + below(6), 1 + below(10), width);
}

int main() {
  test_all(latent::portable_loops);
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) test_all(latent::avx2_loops);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    test_all(latent::avx512_loops);
#endif
  printf("%d numbers as expected, %s chosen here\n", compared, latent::loops().instruction_set);
  return 0;
}
