// What the two halves of a decoder layer have in common beside their linear maps: the norm before and the sum after.
#pragma once

#include "packed-maps.h"
#include "read-rows.h"

namespace latent {

// Rows are cut by their number alone where something is summed over them, and the parts' sums added in their order.
constexpr int64_t kNormParts = 32;
inline int64_t norm_parts(int64_t rows) { return std::min(rows, kNormParts); }

// n = x inverse weight, of the rows that stand at [begin, end) among those that are read.
inline void normed_again(const float* x, const float* weight, const float* inverse, int64_t width, const ReadRows& read,
                         int64_t begin, int64_t end, float* normed) {
  for (int64_t place = begin; place < end; place++) {
    const int64_t row = read.row(place);
    const float *from = x + row * width, scale = inverse[row];
    float* to = normed + place * width;
    for (int64_t i = 0; i < width; i++) to[i] = from[i] * scale * weight[i];
  }
}

// Adds rows of those that are read, [begin, end), to their places in `sum`.
inline void add_read_rows(const float* rows, int64_t width, const ReadRows& read, int64_t begin, int64_t end,
                          float* sum) {
  for (int64_t place = begin; place < end; place++) {
    float* to = sum + read.row(place) * width;
    for (int64_t i = 0; i < width; i++) to[i] += rows[place * width + i];
  }
}

// dx = dy + the norm's gradient of d_normed; the weight's gradient where `d_weight` is not null. `sums` [parts, D]. `dy`
// has a row for each row, or only for those with one in `places`.
inline void norm_gradient(OpKernelContext* context, const float* x, const float* weight, const float* inverse,
                          const float* d_normed, const float* dy, int64_t rows, int64_t width, float* sums, float* dx,
                          float* d_weight, const int32_t* places = nullptr) {
  const int64_t parts = norm_parts(rows);
  share_out(context, parts, 4.0 * width * (rows / (parts + 1.0)), [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++) {
      float* own = sums + part * width;
      std::fill(own, own + width, 0.0f);
      const int64_t first = rows * part / parts, last = rows * (part + 1) / parts;
      loops().rms_norm_gradient(x, weight, inverse, d_normed, width, dx, own, first, last);
      for (int64_t row = first; row < last; row++) {
        const int64_t place = places == nullptr ? row : places[row];
        if (place < 0) continue;
        for (int64_t i = 0; i < width; i++) dx[row * width + i] += dy[place * width + i];
      }
    }
  });
  if (d_weight != nullptr) loops().sum_parts(sums, parts, width, d_weight, 0, width);
}

// Gradients of A and B, at [0] and [1]: d_low^T seen, and dy^T low.
inline void adapter_gradients(WeightGradients* products, const LinearMap& map, const float* dy, const float* seen,
                              const float* low, const float* d_low, float* const* gradients) {
  if (map.rank == 0) return;
  products->add(d_low, map.rank, seen, map.in, gradients[0]);
  products->add(dy, map.out, low, map.rank, gradients[1]);
}

// The outputs of a gradient: dx, the norm's, and of each map its weight's and its adapter's two; those of weights only
// where they are wanted, of adapters where the block has some, else null and no output at all. False after an error.
inline bool gradient_outputs(OpKernelContext* context, std::initializer_list<const LinearMap*> maps, bool weights,
                             bool adapters, float** gradients) {
  const int of_map = (weights ? 1 : 0) + (adapters ? 2 : 0);
  if (context->num_outputs() != 1 + (weights ? 1 : 0) + of_map * static_cast<int>(maps.size())) {
    context->SetStatus(tensorflow::errors::InvalidArgument("expected as many outputs as gradients that are wanted"));
    return false;
  }
  int made = 0;
  const auto next = [&](bool wanted, const TensorShape& shape) {
    *gradients++ = wanted ? output(context, made++, shape) : nullptr;
  };
  next(true, context->input(0).shape());
  next(weights, context->input(1).shape());
  for (const LinearMap* map : maps) {
    next(weights, TensorShape({map->out, map->in}));
    next(adapters, TensorShape({map->rank, map->in}));
    next(adapters, TensorShape({map->out, map->rank}));
  }
  return context->status().ok();
}

}  // namespace latent
