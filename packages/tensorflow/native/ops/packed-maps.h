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

// Merging an adapter takes a product of [out, rank] and [rank, in]; without it each row takes one of its own with
// [rank, out], and backwards one with [rank, in]. What an adapter does not see under dropout is drawn for each row.
inline bool worth_merging(const LinearMap& map, int64_t rows) { return map.rank > 0 && !map.drops() && rows > map.in; }

// Whether the backward pass finds the merged weights, which saves it either: where that is much for their memory.
inline bool worth_keeping(const LinearMap& map, int64_t rows) {
  return map.rank > 0 && !map.drops() && 4 * rows * (map.out + map.in) > 9 * map.out * map.in;
}

// How many numbers the merged weights take that are kept.
inline int64_t merged_count(int64_t rows, std::initializer_list<const LinearMap*> maps) {
  int64_t count = 0;
  for (const LinearMap* map : maps) count += worth_keeping(*map, rows) ? map->out * map->in : 0;
  return count;
}

class PackedMaps {
 public:
  // For y = map(x). Merged weights that are kept, [out, in] one after the other, go to `kept`, of merged_count() numbers.
  static PackedMaps of_output(int64_t rows, std::initializer_list<const LinearMap*> maps, float* kept) {
    PackedMaps packed(Form::kNT);
    for (const LinearMap* map : maps) {
      const bool keeps = worth_keeping(*map, rows), merges = keeps || worth_merging(*map, rows);
      packed.reserve(Form::kNT, map->weight, map->in, map->out, map->in, merges ? map : nullptr, keeps ? kept : nullptr);
      packed.reserve(Form::kNT, map->lower, map->in, map->rank, map->in);
      packed.reserve(Form::kNT, merges ? nullptr : map->raise, map->rank, map->out, map->rank);
      packed.reserve(Form::kNN, merges ? map->lower : nullptr, map->in, map->in, map->rank);
      if (keeps) kept += map->out * map->in;
    }
    return packed;
  }

  // For dx of dy, with what the forward pass kept.
  static PackedMaps of_input_gradient(int64_t rows, std::initializer_list<const LinearMap*> maps, const float* kept) {
    PackedMaps packed(Form::kNN);
    for (const LinearMap* map : maps) {
      const bool keeps = worth_keeping(*map, rows);
      packed.reserve(Form::kNN, keeps ? kept : map->weight, map->in, map->in, map->out);
      packed.reserve(Form::kNN, keeps ? nullptr : map->lower, map->in, map->in, map->rank);
      packed.reserve(Form::kNN, map->raise, map->rank, map->rank, map->out);
      packed.reserve(Form::kNN, nullptr, 0, 0, 0);
      if (keeps) kept += map->out * map->in;
    }
    return packed;
  }

  int64_t count() const { return count_; }  // numbers

  // Packs into `memory`, which begins a cache line and has room for count() numbers.
  void pack(OpKernelContext* context, float* memory) {
    memory_ = memory;
    std::vector<Unit> plain, merged;
    double plain_cycles = 0, merged_cycles = 0;
    int64_t scratch = 0;
    for (const Matrix& matrix : matrices_) {
      const bool merges = matrix.merges != nullptr;
      for (int64_t block = 0; block * kPackedOutputs < matrix.out; block++)
        (merges ? merged : plain).push_back({&matrix, block});
      const double numbers = matrix.out * matrix.depth;
      if (!merges) {
        plain_cycles += 2 * numbers;
        continue;
      }
      const int64_t rank = matrix.merges->rank;
      merged_cycles += numbers * (2.0 + rank / 16.0);
      scratch = std::max(scratch, kPackedOutputs * (whole_lines(matrix.depth) + 2 * rank));
    }
    share_out(context, plain.size(), plain_cycles / (plain.size() + 1), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const auto& [matrix, block] = plain[i];
        loops().pack_weights(matrix->form, matrix->from, matrix->stride, matrix->out, matrix->depth, block, block + 1,
                             memory + matrix->at);
      }
    });
    // these read adapters that are packed by now
    share_out(context, merged.size(), merged_cycles / (merged.size() + 1), [&](int64_t begin, int64_t end) {
      const Scratch own(scratch);
      for (int64_t i = begin; i < end; i++) pack_merged(*merged[i].matrix, merged[i].block, own.data());
    });
  }

  PackedLinear operator[](int map) const {
    const auto at = [&](int i) { return memory_ + matrices_[kPerMap * map + i].at; };
    const bool merged = matrices_[kPerMap * map + (form_ == Form::kNT ? 2 : 1)].from == nullptr;  // or no adapter
    return {at(0), at(1), at(2), merged};
  }

 private:
  // A map's weight, lower and raise, and its lower once more, as what is multiplied by raise where they are merged.
  static constexpr int kPerMap = 4;
  struct Matrix {
    Form form;
    const float* from;
    int64_t stride, out, depth, at;
    const LinearMap* merges;  // whose adapter goes into the weight
    float* kept;              // where the sum stays, if anywhere
  };
  struct Unit {
    const Matrix* matrix;
    int64_t block;  // of its outputs
  };

  explicit PackedMaps(Form form) : form_(form) {}

  void reserve(Form form, const float* from, int64_t stride, int64_t out, int64_t depth,
               const LinearMap* merges = nullptr, float* kept = nullptr) {
    matrices_.push_back({form, from, stride, from == nullptr ? 0 : out, depth, count_, merges, kept});
    if (from != nullptr) count_ += whole_lines(out * depth);
  }

  // A block of rows of W + scale B A.
  void pack_merged(const Matrix& matrix, int64_t block, float* scratch) const {
    const LinearMap& map = *matrix.merges;
    const Matrix& lower = (&matrix)[kPerMap - 1];
    const int64_t first = block * kPackedOutputs, count = std::min(kPackedOutputs, map.out - first);
    float* sum = matrix.kept == nullptr ? scratch : matrix.kept + first * map.in;
    float* scaled = scratch + kPackedOutputs * whole_lines(map.in);
    float* factor = scaled + kPackedOutputs * map.rank;
    std::copy(map.weight + first * map.in, map.weight + (first + count) * map.in, sum);
    for (int64_t i = 0; i < count * map.rank; i++) scaled[i] = map.scale * map.raise[first * map.rank + i];
    loops().pack_factor(scaled, map.rank, count, map.rank, factor);
    const PackedTerm term = {memory_ + lower.at, factor, map.rank};
    loops().packed_product(&term, 1, count, map.in, sum, map.in, true);
    loops().pack_weights(Form::kNT, sum, map.in, count, map.in, 0, 1, memory_ + matrix.at + first * map.in);
  }

  Form form_;
  std::vector<Matrix> matrices_;
  int64_t count_ = 0;
  float* memory_ = nullptr;
};

// How rows are shared out: stretches that begin at multiples of 16 rows, see `product`, and get shorter towards the end,
// so that threads end together.
class Stretches {
 public:
  Stretches(OpKernelContext* context, int64_t rows) : slots(threads_of(context)->NumThreads()) {
    for (int64_t begin = 0; begin < rows; begin = ends_.back()) {
      const int64_t share = (rows - begin) / (2 * slots);
      const int64_t taken = std::min(kMost, std::max(kLeast, whole_lines(share)));
      ends_.push_back(std::min(rows, begin + taken));
      length = std::max(length, taken);
    }
  }

  // Runs body(begin, end, scratch) over all stretches; `scratch` has `numbers` for each of `slots` threads.
  template <typename Body>
  void run(OpKernelContext* context, double flops_per_row, float* scratch, int64_t numbers, const Body& body) const {
    const auto count = static_cast<int64_t>(ends_.size());
    const double rows = count == 0 ? 0 : ends_.back();
    share_slots(context, count, rows / (count + 1) * flops_per_row / 32, [&](int64_t begin, int64_t end, int slot) {
      for (int64_t i = begin; i < end; i++) body(i == 0 ? 0 : ends_[i - 1], ends_[i], scratch + slot * numbers);
    });
  }

  const int64_t slots;
  int64_t length = 0;  // of the longest

 private:
  static constexpr int64_t kLeast = 32, kMost = 128;
  std::vector<int64_t> ends_;
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
