// A linear map y = x W^T with a low-rank adapter beside it, + scale (seen(x) A^T) B^T, and the gradients of its weights.
#pragma once

#include <vector>

#include "op.h"

namespace latent {

// Rows of a map [N, in] x [out, in]; rank 0 where there is no adapter.
struct LinearMap {
  int64_t out = 0, in = 0, rank = 0;
  const float *weight = nullptr, *lower = nullptr, *raise = nullptr;
  float scale = 0;
  DropoutDraw draw = {0, 0, 0, 0, 0, 1};  // of what the adapter does not see; threshold 0 drops nothing

  bool drops() const { return rank > 0 && draw.threshold > 0; }
};

// Reads a map's weight. Gives false where it does not fit, as do the two below.
inline bool read_weight(const Tensor& weight, int64_t out, int64_t in, LinearMap* map) {
  if (weight.shape() != TensorShape({out, in})) return false;
  map->out = out;
  map->in = in;
  map->weight = floats(weight);
  return true;
}

// Reads the adapter beside a weight; a missing one is two empty tensors.
inline bool read_adapter(const Tensor& lower, const Tensor& raise, LinearMap* map) {
  map->rank = lower.NumElements() == 0 ? 0 : lower.dim_size(0);
  if (map->rank == 0) return raise.NumElements() == 0;
  map->lower = floats(lower);
  map->raise = floats(raise);
  return lower.shape() == TensorShape({map->rank, map->in}) && raise.shape() == TensorShape({map->out, map->rank});
}

// The adapters of a block's maps, if it has any: lower and raise of each map, and what all are multiplied by; draws
// [maps, 5] words, if something is dropped.
#define LATENT_ADAPTER_INPUTS                     \
  Input("adapters: adapter_count * float")        \
      .Input("draws: draw_count * int32")         \
      .Input("scale_of_kept: draw_count * float") \
      .Attr("adapter_count: int >= 0 = 0")        \
      .Attr("draw_count: int >= 0 = 0")

inline bool read_adapters(OpKernelContext* context, std::initializer_list<LinearMap*> maps, bool* some) {
  tensorflow::OpInputList adapters, draws, kept;
  if (!context->input_list("adapters", &adapters).ok() || !context->input_list("draws", &draws).ok() ||
      !context->input_list("scale_of_kept", &kept).ok())
    return false;
  *some = adapters.size() > 0;
  if (!*some) return draws.size() == 0;
  const int count = static_cast<int>(maps.size());
  if (adapters.size() != 2 * count + 1 || adapters[2 * count].NumElements() != 1 || draws.size() > 1) return false;
  if (draws.size() == 1 && (draws[0].NumElements() != 5 * count || kept[0].NumElements() != 1)) return false;
  for (int i = 0; i < count; i++) {
    LinearMap& map = *maps.begin()[i];
    if (!read_adapter(adapters[2 * i], adapters[2 * i + 1], &map)) return false;
    if (map.rank == 0) continue;
    map.scale = floats(adapters[2 * count])[0];
    if (draws.size() == 0) continue;
    const auto word = [&](int j) { return static_cast<uint32_t>(ints(draws[0])[5 * i + j]); };
    map.draw = {word(0), word(1), word(2), word(3), word(4), floats(kept[0])[0]};
  }
  return true;
}

// What an adapter sees of the rows [begin, end): `x` itself, or what a dropout left of it in `left`, of the same shape.
inline const float* seen_by(const LinearMap& map, const float* x, int64_t rows, int64_t begin, int64_t end, float* left) {
  if (!map.drops()) return x;
  loops().dropout(x, map.draw, rows * map.in, left, begin * map.in / 4, (end * map.in + 3) / 4);
  return left;
}

constexpr int64_t kCacheLine = 16;  // numbers
inline int64_t whole_lines(int64_t count) { return (count + kCacheLine - 1) / kCacheLine * kCacheLine; }

// The products that make gradients of weights, sums over all rows: a^T b, cut by their own sizes alone.
class WeightGradients {
 public:
  explicit WeightGradients(int64_t rows) : rows_(rows) {}

  // c [m, n] = a^T b of a [N, m] and b [N, n]; nothing where c is null.
  void add(const float* a, int64_t m, const float* b, int64_t n, float* c) {
    if (c != nullptr) products_.push_back({a, m, b, n, c, n, m, n});
  }

  void run(OpKernelContext* context) const {
    double all = 0;
    for (const Product& product : products_) all += static_cast<double>(product.m * product.n);
    std::vector<Product> parts;
    for (const Product& product : products_) cut(product, all / kParts, &parts);
    const double cycles = 2.0 * rows_ * all / 32 / (parts.size() + 1);
    share_out(context, parts.size(), cycles, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const Product& part = parts[i];
        if (part.m >= 2 * part.n)
          run_turned(part);
        else
          loops().product(Form::kTN, part.m, part.n, rows_, part.a, part.lda, part.b, part.ldb, part.c, part.ldc, false);
      }
    });
  }

 private:
  // c [m, n], rows ldc apart, of columns of a and b.
  struct Product {
    const float* a;
    int64_t lda;
    const float* b;
    int64_t ldb;
    float* c;
    int64_t ldc, m, n;
  };

  // The kernel packs b in wide panels and a in narrow ones, which is slow where a's rows are long: c^T = b^T a instead.
  void run_turned(const Product& part) const {
    const Scratch turned(part.m * part.n);
    const float* from = turned.data();
    loops().product(Form::kTN, part.n, part.m, rows_, part.b, part.ldb, part.a, part.lda, turned.data(), part.m, false);
    for (int64_t first = 0; first < part.m; first += kCacheLine)
      for (int64_t column = 0; column < part.n; column++)
        for (int64_t row = first; row < std::min(part.m, first + kCacheLine); row++)
          part.c[row * part.ldc + column] = from[column * part.m + row];
  }

  // Each part packs all of the operand that is not cut: few parts of small products, along their longer side, in whole
  // panels of the kernel, and none of less than is worth its packing.
  static constexpr int64_t kParts = 24, kPanel = 48, kLeast = 4096;
  static void cut(const Product& product, double part_size, std::vector<Product>* parts) {
    const bool tall = product.m >= product.n;
    const int64_t length = tall ? product.m : product.n;
    const auto wanted = std::min(static_cast<int64_t>(product.m * product.n / (part_size + 1)) + 1,
                                 std::max<int64_t>(1, product.m * product.n / kLeast));
    const int64_t step = std::max<int64_t>(1, (length + wanted * kPanel - 1) / (wanted * kPanel)) * kPanel;
    for (int64_t begin = 0; begin < length; begin += step) {
      Product part = product;
      (tall ? part.m : part.n) = std::min(step, length - begin);
      (tall ? part.a : part.b) += begin;
      part.c += tall ? begin * product.ldc : begin;
      parts->push_back(part);
    }
  }

  int64_t rows_;
  std::vector<Product> products_;
};

// Where the parts of an operation's working memory stand, each at the beginning of a cache line.
class Parts {
 public:
  int64_t add(int64_t count) {
    const int64_t at = count_;
    count_ += whole_lines(count);
    return at;
  }
  int64_t count() const { return count_; }

 private:
  int64_t count_ = 0;
};

// Working memory of an operation, all of it at once.
inline float* working(OpKernelContext* context, int64_t count, Tensor* memory) {
  const auto status = context->allocate_temp(tensorflow::DT_FLOAT, TensorShape({count}), memory);
  if (!status.ok()) {
    context->SetStatus(status);
    return nullptr;
  }
  float* data = memory->flat<float>().data();
  in_large_pages(data, count);
  return data;
}

}  // namespace latent
