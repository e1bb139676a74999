// LatentPackWeights and LatentPackedProduct: maps whose weights are of fewer bytes, and their products with the rows of
// decoding.
#pragma once

#include "op.h"

namespace latent {

REGISTER_OP("LatentPackWeights")
    .Input("weight: float")
    .Input("bits: int32")
    .Output("words: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentPackedProduct")
    .Input("x: float")
    .Input("words: float")
    .Input("bits: int32")
    .Output("y: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

// Whether the words are those of a map from `in` numbers.
inline bool read_packed(const Tensor& words, int64_t in, int32_t bits, PackedMap* map) {
  if (words.dims() != 2 || (bits != 32 && bits != 16 && bits != 8)) return false;
  *map = {floats(words), words.dim_size(0), in, static_cast<WeightFormat>(bits)};
  return words.dim_size(1) == map->words_per_row();
}

// Rows of at least this number stand as columns: products bound their time, below it reading the weights does.
constexpr int64_t kManyRows = 16;
// Channels of a unit of their work.
constexpr int64_t kPanel = 48;

inline int64_t column_stride(int64_t rows) { return (rows + 15) / 16 * 16; }
inline int64_t panels(int64_t channels) { return (channels + kPanel - 1) / kPanel; }

// What an output channel costs: its weights from memory, or the products of many rows.
inline double channel_cycles(const PackedMap& map, int64_t rows) { return map.words_per_row() * 0.5 + rows * map.in / 16.0; }

// y [channels, stride], set or added to, of the panel's channels and columns [in, stride]. A few channels at a time, so
// that their unpacked weights are read while they are near, and the next ones' words come from memory meanwhile.
inline void panel_product(const PackedMap& map, const float* columns, int64_t stride, float* y, bool add, int64_t panel) {
  constexpr int64_t kChannels = kPanel / 4;
  const bool packed = map.format != WeightFormat::kFloat32;
  const int64_t words = map.words_per_row(), last = std::min((panel + 1) * kPanel, map.out);
  const Scratch weights(packed ? kChannels * map.in : 1);
  for (int64_t channel = panel * kPanel; channel < last; channel += kChannels, y += kChannels * stride) {
    const int64_t end = std::min(channel + kChannels, last);
    const float* from = map.words + channel * words;
    if (packed) loops().unpack_rows(map, weights.data(), channel, end);
    loops().column_product(packed ? weights.data() : from, end - channel, map.in, columns, stride, y, add,
                           from + (end - channel) * words, kChannels * words);
  }
}

class PackWeightsOp : public OpKernel {
 public:
  explicit PackWeightsOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& weight = context->input(0);
    const int32_t bits = context->input(1).NumElements() == 1 ? ints(context->input(1))[0] : 0;
    LATENT_REQUIRE(context, weight.dims() == 2 && (bits == 32 || bits == 16 || bits == 8),
                   "expected weights [out, in], and 32, 16 or 8 bits");
    const PackedMap map = {nullptr, weight.dim_size(0), weight.dim_size(1), static_cast<WeightFormat>(bits)};
    float* words = output(context, 0, TensorShape({map.out, map.words_per_row()}));
    if (words == nullptr) return;
    share_out(context, map.out, 4.0 * map.in, [&](int64_t begin, int64_t end) {
      loops().pack_rows(floats(weight), map, words, begin, end);
    });
  }
};

class PackedProductOp : public OpKernel {
 public:
  explicit PackedProductOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const int32_t bits = context->input(2).NumElements() == 1 ? ints(context->input(2))[0] : 0;
    PackedMap map;
    LATENT_REQUIRE(context, x.dims() == 2 && read_packed(context->input(1), x.dim_size(1), bits, &map),
                   "expected rows [R, in], and a map of theirs");
    const int64_t rows = x.dim_size(0);
    float* y = output(context, 0, TensorShape({rows, map.out}));
    if (y == nullptr) return;
    const double cycles = channel_cycles(map, rows);
    if (rows < kManyRows) {
      share_long(context, map.out, cycles, [&](int64_t begin, int64_t end) {
        loops().packed_rows(map, floats(x), rows, y, false, begin, end);
      });
      return;
    }
    const int64_t stride = column_stride(rows);
    const Scratch columns(map.in * stride);
    loops().rows_to_columns(floats(x), rows, map.in, columns.data(), stride, 0, stride / 16);
    share_long(context, panels(map.out), cycles * kPanel, [&](int64_t begin, int64_t end) {
      const Scratch result(kPanel * stride);
      for (int64_t panel = begin; panel < end; panel++) {
        panel_product(map, columns.data(), stride, result.data(), false, panel);
        const int64_t first = panel * kPanel, count = std::min(kPanel, map.out - first);
        loops().columns_to_rows(result.data(), stride, rows, count, y + first, map.out, 0, stride / 16);
      }
    });
  }
};

REGISTER_KERNEL_BUILDER(Name("LatentPackWeights").Device(tensorflow::DEVICE_CPU), PackWeightsOp);
REGISTER_KERNEL_BUILDER(Name("LatentPackedProduct").Device(tensorflow::DEVICE_CPU), PackedProductOp);

}  // namespace latent
