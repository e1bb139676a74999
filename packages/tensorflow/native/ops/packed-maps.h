// Maps as products of packed operands: weights are packed once an operation by all threads together, rows are shared out
// in short stretches, and a stretch is packed once for all the maps that read it.
#pragma once

#include <algorithm>
#include <vector>

#include "linear-map.h"

namespace latent {

// A map's weights and its adapter's, packed; where the adapter is merged into the weight, W + scale B A, rows pass it by.
struct PackedLinear {
  const float *weight = nullptr, *lower = nullptr, *raise = nullptr;
  bool merged = false;
};

class PackedMaps {
 public:
  // For y = map(x), or for dx of dy.
  enum class For { kOutput, kInputGradient };

  PackedMaps(For use, int64_t rows, std::initializer_list<const LinearMap*> maps)
      : form_(use == For::kOutput ? Form::kNT : Form::kNN) {
    for (const LinearMap* map : maps) {
      const bool forward = use == For::kOutput;
      const bool merged = worth_merging(*map, rows, forward ? map->in : map->out);
      reserve(map->weight, map->in, forward ? map->out : map->in, forward ? map->in : map->out, merged ? map : nullptr);
      reserve(merged && !forward ? nullptr : map->lower, map->in, forward ? map->rank : map->in,
              forward ? map->in : map->rank, nullptr);
      reserve(merged && forward ? nullptr : map->raise, map->rank, forward ? map->out : map->rank,
              forward ? map->rank : map->out, nullptr);
    }
  }

  int64_t count() const { return count_; }  // numbers

  // Packs into `memory`, which begins a cache line and has room for count() numbers.
  void pack(OpKernelContext* context, float* memory) {
    memory_ = memory;
    std::vector<std::pair<const Matrix*, int64_t>> units;  // a matrix and a block of its outputs
    double cycles = 0;
    int64_t scratch = 0;
    for (const Matrix& matrix : matrices_) {
      for (int64_t block = 0; block * kPackedOutputs < matrix.out; block++) units.push_back({&matrix, block});
      const int64_t rank = matrix.merged == nullptr ? 0 : matrix.merged->rank;
      cycles += matrix.out * matrix.depth * (2.0 + rank / 16.0);
      if (rank > 0) scratch = std::max(scratch, kPackedOutputs * (whole_lines(matrix.depth) + rank));
    }
    share_out(context, units.size(), cycles / (units.size() + 1), [&](int64_t begin, int64_t end) {
      const Scratch own(scratch);
      for (int64_t i = begin; i < end; i++) {
        const Matrix& matrix = *units[i].first;
        const int64_t block = units[i].second;
        float* to = memory + matrix.at;
        if (matrix.merged != nullptr)
          pack_merged(matrix, block, own.data(), to);
        else
          loops().pack_weights(form_, matrix.from, matrix.stride, matrix.out, matrix.depth, block, block + 1, to);
      }
    });
  }

  PackedLinear operator[](int map) const {
    const auto at = [&](int i) { return memory_ + matrices_[3 * map + i].at; };
    return {at(0), at(1), at(2), matrices_[3 * map].merged != nullptr};
  }

 private:
  struct Matrix {
    const float* from;
    int64_t stride, out, depth, at;
    const LinearMap* merged;
  };

  // Merging takes a product of [out, rank] and [rank, in]; without it each row takes one of its own with [rank, out], or
  // backwards with [rank, in]. What an adapter does not see under dropout is drawn for each row.
  static bool worth_merging(const LinearMap& map, int64_t rows, int64_t depth) {
    return map.rank > 0 && !map.drops() && rows > depth + depth / 4;
  }

  void reserve(const float* from, int64_t stride, int64_t out, int64_t depth, const LinearMap* merged) {
    matrices_.push_back({from, stride, from == nullptr ? 0 : out, depth, count_, merged});
    if (from != nullptr) count_ += whole_lines(out * depth);
  }

  // A block of outputs of W + scale B A: rows of it, or backwards columns.
  void pack_merged(const Matrix& matrix, int64_t block, float* scratch, float* packed) const {
    const LinearMap& map = *matrix.merged;
    const int64_t first = block * kPackedOutputs, count = std::min(kPackedOutputs, matrix.out - first);
    const int64_t rank = map.rank;
    float *sum = scratch, *scaled = scratch + kPackedOutputs * whole_lines(matrix.depth);
    if (form_ == Form::kNT) {
      std::copy(map.weight + first * map.in, map.weight + (first + count) * map.in, sum);
      for (int64_t i = 0; i < count * rank; i++) scaled[i] = map.scale * map.raise[first * rank + i];
      loops().product(Form::kNN, count, map.in, rank, scaled, rank, map.lower, map.in, sum, map.in, true);
      loops().pack_weights(Form::kNT, sum, map.in, count, map.in, 0, 1, packed + first * map.in);
      return;
    }
    for (int64_t row = 0; row < map.out; row++) {
      const float* from = map.weight + row * map.in + first;
      std::copy(from, from + count, sum + row * count);
    }
    for (int64_t row = 0; row < rank; row++)
      for (int64_t i = 0; i < count; i++) scaled[row * count + i] = map.scale * map.lower[row * map.in + first + i];
    loops().product(Form::kNN, map.out, count, rank, map.raise, rank, scaled, count, sum, count, true);
    loops().pack_weights(Form::kNN, sum, count, count, map.out, 0, 1, packed + first * map.out);
  }

  Form form_;
  std::vector<Matrix> matrices_;
  int64_t count_ = 0;
  float* memory_ = nullptr;
};

// How rows are shared out: stretches that begin at multiples of 16 rows, see `product`, several a thread.
struct Stretches {
  int64_t rows, length, slots;

  Stretches(OpKernelContext* context, int64_t rows) : rows(rows) {
    const int64_t threads = threads_of(context)->NumThreads();
    length = std::min<int64_t>(128, std::max<int64_t>(32, (rows / (8 * threads) + 15) / 16 * 16));
    slots = threads;
  }

  // Runs body(begin, end, scratch) over all stretches; `scratch` has `numbers` for each of `slots` threads.
  template <typename Body>
  void run(OpKernelContext* context, double flops_per_row, float* scratch, int64_t numbers, const Body& body) const {
    const int64_t count = (rows + length - 1) / length;
    share_slots(context, count, length * flops_per_row / 32, [&](int64_t begin, int64_t end, int slot) {
      for (int64_t i = begin; i < end; i++)
        body(i * length, std::min(rows, (i + 1) * length), scratch + slot * numbers);
    });
  }
};

// What the adapter sees of the rows [begin, end), packed: `factor`, which is x packed, or what a dropout leaves of x. `x`,
// `left` and `room` are of the stretch alone; draws go by the place among all rows.
inline const float* seen_factor(const LinearMap& map, const float* x, const float* factor, int64_t rows, int64_t begin,
                                int64_t end, float* left, float* room) {
  if (!map.drops()) return factor;
  seen_by(map, x - begin * map.in, rows, begin, end, left - begin * map.in);
  loops().pack_factor(left, map.in, end - begin, map.in, room);
  return room;
}

// y (+)= map(x) for a stretch of rows whose packed factor, and that of what the adapter sees, are given; `low` keeps
// scale (seen A^T), and `low_factor` has room for as many numbers.
inline void apply_map(const LinearMap& map, const PackedLinear& packed, const float* factor, const float* seen,
                      int64_t rows, float* low, float* low_factor, float* y, bool add) {
  PackedTerm terms[2] = {{packed.weight, factor, map.in}, {packed.raise, low_factor, map.rank}};
  if (map.rank > 0) {
    const PackedTerm lower = {packed.lower, seen, map.in};
    loops().packed_product(&lower, 1, rows, map.rank, low, map.rank, false);
    for (int64_t i = 0; i < rows * map.rank; i++) low[i] *= map.scale;
    if (!packed.merged) loops().pack_factor(low, map.rank, rows, map.rank, low_factor);
  }
  loops().packed_product(terms, map.rank > 0 && !packed.merged ? 2 : 1, rows, map.out, y, map.out, add);
}

// dx (+)= dy W + seen'(scale (dy B) A) for the rows [begin, end), of `rows_in_all`; `factor` is dy, packed. `d_low` keeps
// scale (dy B) of the stretch, `low_factor` has room for as many numbers, and `left` [end - begin, in] for what the
// dropout leaves.
inline void input_gradient(const LinearMap& map, const PackedLinear& packed, const float* factor, int64_t rows_in_all,
                           int64_t begin, int64_t end, float* d_low, float* low_factor, float* dx, bool add,
                           float* left) {
  const int64_t rows = end - begin;
  PackedTerm terms[2] = {{packed.weight, factor, map.out}, {packed.lower, low_factor, map.rank}};
  if (map.rank > 0) {
    const PackedTerm raise = {packed.raise, factor, map.out};
    loops().packed_product(&raise, 1, rows, map.rank, d_low, map.rank, false);
    for (int64_t i = 0; i < rows * map.rank; i++) d_low[i] *= map.scale;
    if (!packed.merged) loops().pack_factor(d_low, map.rank, rows, map.rank, low_factor);
  }
  loops().packed_product(terms, map.rank > 0 && !packed.merged && !map.drops() ? 2 : 1, rows, map.in, dx, map.in, add);
  if (!map.drops()) return;
  loops().packed_product(terms + 1, 1, rows, map.in, left, map.in, false);
  float* from_first = left - begin * map.in;
  seen_by(map, from_first, rows_in_all, begin, end, from_first);
  for (int64_t i = 0; i < rows * map.in; i++) dx[i] += left[i];
}

}  // namespace latent
