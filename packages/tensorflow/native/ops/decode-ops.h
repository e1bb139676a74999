// LatentDecoderStep: one more token of every row through all layers of a decoder, with the caches written in place;
// LatentPackWeights and LatentPackedProduct: maps whose weights are of fewer bytes.
#pragma once

#include "op.h"

namespace latent {

// maps holds seven a layer (query, key, value, output, gate, up, down), norms two a layer and the last one, caches a
// layer's keys and values [B, C, G, d]. extent holds the rows of the caches in use and the bits of a weight.
REGISTER_OP("LatentDecoderStep")
    .Input("x: float")
    .Input("cosine: float")
    .Input("sine: float")
    .Input("ranges: int32")
    .Input("extent: int32")
    .Input("maps: map_count * float")
    .Input("norms: norm_count * float")
    .Input("caches: cache_count * float")
    .Output("states: float")
    .Attr("map_count: int >= 1")
    .Attr("norm_count: int >= 1")
    .Attr("cache_count: int >= 1")
    .Attr("epsilon: float")
    .SetIsStateful()
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

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

// What an output channel costs: its weights from memory, or the products of many rows.
inline double channel_cycles(const PackedMap& map, int64_t rows) { return map.words_per_row() * 0.5 + rows * map.in / 8.0; }

// Maps of as many rows as this go through the matrix product, in panels of channels: cut by nothing but their size, so
// that results do not depend on the number of threads.
constexpr int64_t kManyRows = 16, kPanel = 96;

// y [rows, out] of the channels [begin, end), set or added to.
inline void packed_panel(const PackedMap& map, const float* x, int64_t rows, float* y, bool add, int64_t begin,
                         int64_t end) {
  if (rows < kManyRows) return loops().packed_rows(map, x, rows, y, add, begin, end);
  const float* weight = map.words + begin * map.in;
  const Scratch memory(map.format == WeightFormat::kFloat32 ? 0 : (end - begin) * map.in);
  if (map.format != WeightFormat::kFloat32) {
    loops().unpack_rows(map, memory.data(), begin, end);
    weight = memory.data();
  }
  loops().product(Form::kNT, rows, end - begin, map.in, x, map.in, weight, map.in, y + begin, map.out, add);
}

// Runs body(begin, end) over stretches of channels: any, or whole panels where there are many rows.
template <typename Body>
void share_channels(OpKernelContext* context, const PackedMap& map, int64_t rows, double maps, const Body& body) {
  const double cycles = maps * channel_cycles(map, rows);
  if (rows < kManyRows) return share_out(context, map.out, cycles, body);
  share_out(context, (map.out + kPanel - 1) / kPanel, cycles * kPanel, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; panel++) body(panel * kPanel, std::min((panel + 1) * kPanel, map.out));
  });
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
    share_channels(context, map, rows, 1, [&](int64_t begin, int64_t end) {
      packed_panel(map, floats(x), rows, y, false, begin, end);
    });
  }
};

class DecoderStepOp : public OpKernel {
 public:
  explicit DecoderStepOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("map_count", &map_count_));
    OP_REQUIRES_OK(construction, construction->GetAttr("norm_count", &norm_count_));
    OP_REQUIRES_OK(construction, construction->GetAttr("cache_count", &cache_count_));
    OP_REQUIRES_OK(construction, construction->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    Step step;
    if (!read(context, &step)) return;
    const int64_t batch = step.shape.batch, width = step.width;
    float* states = output(context, 0, TensorShape({batch, width}));
    if (!context->status().ok() || batch == 0) return;
    const int64_t wide = step.shape.heads * step.shape.width, narrow = step.shape.groups * step.shape.width;
    int64_t inner = 0;
    for (int64_t layer = 0; layer < step.layers; layer++) inner = std::max(inner, map(context, step, layer, 4, width).out);
    const Scratch memory(batch * (2 * width + 3 * wide + 2 * narrow + 3 * inner + step.shape.heads + 1));
    Rows rows;
    rows.x = memory.data();
    rows.normed = rows.x + batch * width;
    rows.queries = rows.normed + batch * width;
    rows.turned = rows.queries + batch * wide;
    rows.mixed = rows.turned + batch * wide;
    rows.keys = rows.mixed + batch * wide;
    rows.values = rows.keys + batch * narrow;
    rows.gate = rows.values + batch * narrow;
    rows.up = rows.gate + batch * inner;
    rows.hidden = rows.up + batch * inner;
    rows.log_sum = rows.hidden + batch * inner;
    rows.inverse = rows.log_sum + batch * step.shape.heads;
    const float* x = floats(context->input(0));
    std::copy(x, x + batch * width, rows.x);
    for (int64_t layer = 0; layer < step.layers; layer++) {
      attend(context, step, layer, rows);
      feed_forward(context, step, layer, rows);
    }
    loops().rms_norm(rows.x, norm(context, 2 * step.layers), epsilon_, width, states, rows.inverse, 0, batch);
  }

 private:
  struct Step {
    int64_t layers, width, used;
    int32_t bits;
    AttentionShape shape;
    double visible;  // keys a query
  };
  struct Rows {
    float *x, *normed, *queries, *turned, *mixed, *keys, *values, *gate, *up, *hidden, *log_sum, *inverse;
  };
  static constexpr int kMaps = 7, kFirstMap = 5;
  // A handle of eager execution holds its memory twice: see cache-ops.h.
  static constexpr int kHoldsOfOneHandle = 2;

  const float* norm(OpKernelContext* context, int64_t index) const {
    return floats(context->input(kFirstMap + map_count_ + index));
  }
  const Tensor& cache(OpKernelContext* context, int64_t layer, int which) const {
    return context->input(kFirstMap + map_count_ + norm_count_ + 2 * layer + which);
  }
  PackedMap map(OpKernelContext* context, const Step& step, int64_t layer, int which, int64_t in) const {
    PackedMap map = {nullptr, -1, in, WeightFormat::kFloat32};
    read_packed(context->input(kFirstMap + kMaps * layer + which), in, step.bits, &map);
    return map;
  }

  bool read(OpKernelContext* context, Step* step) const {
    const bool fits = reads(context, step);
    if (!fits && context->status().ok())
      context->SetStatus(tensorflow::errors::InvalidArgument("expected x [B, D], and layers and caches that fit it"));
    return fits;
  }

  bool reads(OpKernelContext* context, Step* step) const {
    const Tensor &x = context->input(0), &ranges = context->input(3), &extent = context->input(4);
    step->layers = map_count_ / kMaps;
    if (map_count_ != kMaps * step->layers || norm_count_ != 2 * step->layers + 1 || cache_count_ != 2 * step->layers ||
        x.dims() != 2 || extent.NumElements() != 2)
      return false;
    step->used = ints(extent)[0];
    step->bits = ints(extent)[1];
    step->width = x.dim_size(1);
    const Tensor& first = cache(context, 0, 0);
    if (first.dims() != 4 || first.dim_size(2) == 0 || first.dim_size(3) == 0) return false;
    const int64_t batch = x.dim_size(0), groups = first.dim_size(2), head = first.dim_size(3);
    const int64_t wide = map(context, *step, 0, 0, step->width).out;
    if (first.dim_size(0) != batch || wide <= 0 || wide % (groups * head) != 0 || head % 2 != 0) return false;
    step->shape = {batch, 1, first.dim_size(1), wide / head, groups, head};
    if (step->used < 0 || step->used >= step->shape.keys) return false;
    for (int i = 1; i <= 2; i++)
      if (context->input(i).NumElements() != batch * head) return false;
    if (ranges.NumElements() != batch * kRangesPerQuery * 2) return false;
    step->visible = 0;
    for (int64_t i = 0; i < ranges.NumElements(); i++) {
      const int32_t limit = ints(ranges)[i];
      if (limit < 0 || limit > step->used + 1) return false;
      step->visible += (i % 2 ? 1.0 : -1.0) * limit / (batch > 0 ? batch : 1);
    }
    for (int64_t i = 0; i < norm_count_; i++)
      if (context->input(kFirstMap + map_count_ + i).NumElements() != step->width) return false;
    for (int64_t layer = 0; layer < step->layers; layer++)
      if (!layer_fits(context, *step, layer, wide, groups * head)) return false;
    return true;
  }

  bool layer_fits(OpKernelContext* context, const Step& step, int64_t layer, int64_t wide, int64_t narrow) const {
    const int64_t width = step.width, inner = map(context, step, layer, 4, width).out;
    const int64_t inputs[] = {width, width, width, wide, width, width, inner};
    const int64_t outputs[] = {wide, narrow, narrow, width, inner, inner, width};
    if (inner < 0) return false;
    for (int i = 0; i < kMaps; i++)
      if (map(context, step, layer, i, inputs[i]).out != outputs[i]) return false;
    for (int which = 0; which < 2; which++) {
      const Tensor& held = cache(context, layer, which);
      if (held.shape() != cache(context, 0, 0).shape()) return false;
      if (held.RefCount() != kHoldsOfOneHandle) {
        // what is written would be seen by whoever else holds this memory
        context->SetStatus(tensorflow::errors::FailedPrecondition("expected caches that nobody else holds"));
        return false;
      }
    }
    return true;
  }

  // y of x, set or added to.
  static void apply(OpKernelContext* context, const PackedMap& map, const float* x, int64_t rows, float* y, bool add) {
    share_channels(context, map, rows, 1, [&](int64_t begin, int64_t end) {
      packed_panel(map, x, rows, y, add, begin, end);
    });
  }

  // Query, key and value, shared out together where rows are few.
  static void apply_three(OpKernelContext* context, const PackedMap (&maps)[3], const float* x, int64_t rows,
                          float* const (&y)[3]) {
    if (rows >= kManyRows) {
      for (int i = 0; i < 3; i++) apply(context, maps[i], x, rows, y[i], false);
      return;
    }
    const int64_t channels = maps[0].out + maps[1].out + maps[2].out;
    share_out(context, channels, channel_cycles(maps[0], rows), [&](int64_t begin, int64_t end) {
      int64_t start = 0;
      for (int i = 0; i < 3; i++) {
        const int64_t from = std::max(begin - start, int64_t{0}), to = std::min(end - start, maps[i].out);
        if (from < to) loops().packed_rows(maps[i], x, rows, y[i], false, from, to);
        start += maps[i].out;
      }
    });
  }

  void attend(OpKernelContext* context, const Step& step, int64_t layer, const Rows& rows) const {
    const AttentionShape& shape = step.shape;
    const int64_t batch = shape.batch, width = step.width, head = shape.width;
    const int64_t wide = shape.heads * head, narrow = shape.groups * head;
    const float *cosine = floats(context->input(1)), *sine = floats(context->input(2));
    loops().rms_norm(rows.x, norm(context, 2 * layer), epsilon_, width, rows.normed, rows.inverse, 0, batch);
    const PackedMap maps[] = {map(context, step, layer, 0, width), map(context, step, layer, 1, width),
                              map(context, step, layer, 2, width)};
    apply_three(context, maps, rows.normed, batch, {rows.queries, rows.keys, rows.values});
    loops().rotary(rows.queries, cosine, sine, 1, shape.heads, head, rows.turned, 0, batch);
    float* keys = const_cast<float*>(floats(cache(context, layer, 0)));
    float* values = const_cast<float*>(floats(cache(context, layer, 1)));
    for (int64_t row = 0; row < batch; row++) {
      const int64_t to = (row * shape.keys + step.used) * narrow;
      loops().rotary(rows.keys + row * narrow, cosine + row * head, sine + row * head, 1, shape.groups, head, keys + to,
                     0, 1);
      std::copy(rows.values + row * narrow, rows.values + (row + 1) * narrow, values + to);
    }
    const AttentionInputs inputs = {rows.turned, keys, values, ints(context->input(3))};
    const int64_t units = loops().attention_units(shape);
    const double per_unit = static_cast<double>(batch * shape.heads) / (units > 0 ? units : 1);
    share_out(context, units, per_unit * (20 + step.visible) * head / 4, [&](int64_t begin, int64_t end) {
      const Scratch scratch(loops().attention_scratch(shape));
      loops().attention(shape, inputs, rows.mixed, rows.log_sum, begin, end, scratch.data());
    });
    apply(context, map(context, step, layer, 3, wide), rows.mixed, batch, rows.x, true);
  }

  void feed_forward(OpKernelContext* context, const Step& step, int64_t layer, const Rows& rows) const {
    const int64_t batch = step.shape.batch, width = step.width;
    loops().rms_norm(rows.x, norm(context, 2 * layer + 1), epsilon_, width, rows.normed, rows.inverse, 0, batch);
    const PackedMap gate = map(context, step, layer, 4, width), up = map(context, step, layer, 5, width);
    const int64_t inner = gate.out;
    share_channels(context, gate, batch, 2, [&](int64_t begin, int64_t end) {
      packed_panel(gate, rows.normed, batch, rows.gate, false, begin, end);
      packed_panel(up, rows.normed, batch, rows.up, false, begin, end);
      for (int64_t row = 0; row < batch; row++)
        loops().swiglu(rows.gate, rows.up, rows.hidden, row * inner + begin, row * inner + end);
    });
    apply(context, map(context, step, layer, 6, inner), rows.hidden, batch, rows.x, true);
  }

  int64_t map_count_, norm_count_, cache_count_;
  float epsilon_;
};

REGISTER_KERNEL_BUILDER(Name("LatentPackWeights").Device(tensorflow::DEVICE_CPU), PackWeightsOp);
REGISTER_KERNEL_BUILDER(Name("LatentPackedProduct").Device(tensorflow::DEVICE_CPU), PackedProductOp);
REGISTER_KERNEL_BUILDER(Name("LatentDecoderStep").Device(tensorflow::DEVICE_CPU), DecoderStepOp);

}  // namespace latent
