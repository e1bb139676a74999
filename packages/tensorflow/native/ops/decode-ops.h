// LatentDecoderStep: one more token of every row, or the next tokens of a single one, through all layers of a decoder,
// with the caches written in place.
#pragma once

#include "packed-ops.h"

namespace latent {

// x is [B T, D] with B or T 1; maps holds seven a layer (query, key, value, output, gate, up, down), norms two a layer and
// the last one, caches a layer's keys and values [B, C, G, d]. extent holds the rows of the caches in use and the bits of
// a weight.
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
    float* states = output(context, 0, TensorShape({step.rows, step.width}));
    if (!context->status().ok() || step.rows == 0) return;
    if (step.rows < kManyRows)
      step_of_rows(context, step, states);
    else
      step_of_columns(context, step, states);
  }

 private:
  struct Step {
    int64_t layers, rows, width, wide, narrow, inner, used;
    int32_t bits;
    AttentionShape shape;
    double visible;  // keys a query
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
      context->SetStatus(tensorflow::errors::InvalidArgument("expected x [B T, D], and layers and caches that fit it"));
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
    const int64_t rows = x.dim_size(0), groups = first.dim_size(2), head = first.dim_size(3);
    const int64_t wide = map(context, *step, 0, 0, step->width).out;
    const int64_t batch = first.dim_size(0), count = batch == 1 ? rows : 1;
    if (batch * count != rows || wide <= 0 || wide % (groups * head) != 0 || head % 2 != 0) return false;
    step->rows = rows;
    step->shape = {batch, count, first.dim_size(1), wide / head, groups, head};
    if (step->used < 0 || step->used + count > step->shape.keys) return false;
    for (int i = 1; i <= 2; i++)
      if (context->input(i).NumElements() != rows * head) return false;
    if (ranges.NumElements() != rows * kRangesPerQuery * 2) return false;
    step->visible = 0;
    for (int64_t i = 0; i < ranges.NumElements(); i++) {
      const int32_t limit = ints(ranges)[i];
      if (limit < 0 || limit > step->used + count) return false;
      step->visible += (i % 2 ? 1.0 : -1.0) * limit / (rows > 0 ? rows : 1);
    }
    for (int64_t i = 0; i < norm_count_; i++)
      if (context->input(kFirstMap + map_count_ + i).NumElements() != step->width) return false;
    step->wide = wide;
    step->narrow = groups * head;
    step->inner = map(context, *step, 0, 4, step->width).out;
    for (int64_t layer = 0; layer < step->layers; layer++)
      if (!layer_fits(context, *step, layer)) return false;
    return step->layers > 0 && step->inner > 0;
  }

  bool layer_fits(OpKernelContext* context, const Step& step, int64_t layer) const {
    const int64_t width = step.width, wide = step.wide, narrow = step.narrow, inner = step.inner;
    const int64_t inputs[] = {width, width, width, wide, width, width, inner};
    const int64_t outputs[] = {wide, narrow, narrow, width, inner, inner, width};
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

  // Attention of the newest tokens over their row's cache.
  void attention(OpKernelContext* context, const Step& step, int64_t layer, const float* queries,
                 float* mixed, float* log_sum) const {
    const AttentionShape& shape = step.shape;
    const AttentionInputs inputs = {queries, floats(cache(context, layer, 0)), floats(cache(context, layer, 1)),
                                    ints(context->input(3))};
    const int64_t units = loops().attention_units(shape);
    const double per_unit = static_cast<double>(step.rows * shape.heads) / (units > 0 ? units : 1);
    share_long(context, units, per_unit * (20 + step.visible) * shape.width / 4, [&](int64_t begin, int64_t end) {
      const Scratch scratch(loops().attention_scratch(shape));
      loops().attention(shape, inputs, mixed, log_sum, begin, end, scratch.data());
    });
  }

  // Turns the queries and keys of the rows [begin, end), the keys into the cache. Queries stand in rows, keys too.
  void turn(OpKernelContext* context, const Step& step, int64_t layer, const float* queries, const float* keys,
            float* turned, int64_t begin, int64_t end) const {
    const AttentionShape& shape = step.shape;
    const float *cosine = floats(context->input(1)), *sine = floats(context->input(2));
    loops().rotary(queries, cosine, sine, 1, shape.heads, shape.width, turned, begin, end);
    for (int64_t row = begin; row < end; row++)
      loops().rotary(keys + row * step.narrow, cosine + row * shape.width, sine + row * shape.width, 1, shape.groups,
                     shape.width, newest(context, step, layer, 0, row), 0, 1);
  }

  // Where the keys or values of a row of x go, and how far apart two rows' are.
  float* newest(OpKernelContext* context, const Step& step, int64_t layer, int which, int64_t row) const {
    const int64_t place = step.used * step.narrow + row * newest_stride(step);
    return const_cast<float*>(floats(cache(context, layer, which))) + place;
  }
  static int64_t newest_stride(const Step& step) {
    return (step.shape.batch == 1 ? 1 : step.shape.keys) * step.narrow;
  }

  // Few rows [R, D]: each map reads its weights once.
  void step_of_rows(OpKernelContext* context, const Step& step, float* states) const {
    const int64_t rows = step.rows, width = step.width, wide = step.wide, narrow = step.narrow;
    const int64_t inner = step.inner;
    const Scratch memory(rows * (2 * width + 3 * wide + 2 * narrow + 3 * inner + step.shape.heads + 1));
    float* x = memory.data();
    float* normed = x + rows * width;
    float* queries = normed + rows * width;
    float* turned = queries + rows * wide;
    float* mixed = turned + rows * wide;
    float* keys = mixed + rows * wide;
    float* values = keys + rows * narrow;
    float* gate = values + rows * narrow;
    float* up = gate + rows * inner;
    float* hidden = up + rows * inner;
    float* log_sum = hidden + rows * inner;
    float* inverse = log_sum + rows * step.shape.heads;
    std::copy(floats(context->input(0)), floats(context->input(0)) + rows * width, x);
    const auto add = [&](const PackedMap& map, const float* from) {
      share_long(context, map.out, channel_cycles(map, rows), [&](int64_t begin, int64_t end) {
        loops().packed_rows(map, from, rows, x, true, begin, end);
      });
    };
    for (int64_t layer = 0; layer < step.layers; layer++) {
      const auto given = [&](int which, int64_t in) { return map(context, step, layer, which, in); };
      loops().rms_norm(x, norm(context, 2 * layer), epsilon_, width, normed, inverse, 0, rows);
      const PackedMap maps[] = {given(0, width), given(1, width), given(2, width)};
      float* const results[] = {queries, keys, values};
      share_long(context, wide + 2 * narrow, channel_cycles(maps[0], rows), [&](int64_t begin, int64_t end) {
        int64_t start = 0;
        for (int i = 0; i < 3; i++) {
          const int64_t from = std::max(begin - start, int64_t{0}), to = std::min(end - start, maps[i].out);
          if (from < to) loops().packed_rows(maps[i], normed, rows, results[i], false, from, to);
          start += maps[i].out;
        }
      });
      turn(context, step, layer, queries, keys, turned, 0, rows);
      for (int64_t row = 0; row < rows; row++)
        std::copy(values + row * narrow, values + (row + 1) * narrow, newest(context, step, layer, 1, row));
      attention(context, step, layer, turned, mixed, log_sum);
      add(given(3, wide), mixed);
      loops().rms_norm(x, norm(context, 2 * layer + 1), epsilon_, width, normed, inverse, 0, rows);
      const PackedMap gates = given(4, width), ups = given(5, width);
      share_long(context, inner, 2 * channel_cycles(gates, rows), [&](int64_t begin, int64_t end) {
        loops().packed_rows(gates, normed, rows, gate, false, begin, end);
        loops().packed_rows(ups, normed, rows, up, false, begin, end);
        for (int64_t row = 0; row < rows; row++)
          loops().swiglu(gate, up, hidden, row * inner + begin, row * inner + end);
      });
      add(given(6, inner), hidden);
    }
    loops().rms_norm(x, norm(context, 2 * step.layers), epsilon_, width, states, inverse, 0, rows);
  }

  // Many rows, as columns [D, stride]: see columns.h. Only attention has them as rows.
  void step_of_columns(OpKernelContext* context, const Step& step, float* states) const {
    const int64_t rows = step.rows, width = step.width, wide = step.wide, narrow = step.narrow;
    const int64_t inner = step.inner, stride = column_stride(rows), blocks = stride / 16;
    const Scratch memory(stride * (2 * width + 2 * wide + 2 * narrow + 2 * inner) +
                         rows * (3 * wide + narrow + step.shape.heads));
    float* x = memory.data();
    float* normed = x + stride * width;
    float* queries = normed + stride * width;
    float* keys = queries + stride * wide;
    float* values = keys + stride * narrow;
    float* mixed = values + stride * narrow;
    float* gate = mixed + stride * wide;
    float* hidden = gate + stride * inner;
    float* query_rows = hidden + stride * inner;
    float* turned = query_rows + rows * wide;
    float* mixed_rows = turned + rows * wide;
    float* key_rows = mixed_rows + rows * wide;
    float* log_sum = key_rows + rows * narrow;
    const auto in_blocks = [&](int64_t numbers, const auto& body) { share_long(context, blocks, 16.0 * numbers, body); };
    const auto add = [&](const PackedMap& map, const float* columns) {
      share_long(context, panels(map.out), kPanel * channel_cycles(map, stride), [&](int64_t begin, int64_t end) {
        for (int64_t panel = begin; panel < end; panel++)
          panel_product(map, columns, stride, x + panel * kPanel * stride, true, panel);
      });
    };
    const auto normalise = [&](int64_t index) {
      in_blocks(width, [&](int64_t begin, int64_t end) {
        loops().rms_norm_columns(x, norm(context, index), epsilon_, width, stride, normed, begin, end);
      });
    };
    loops().rows_to_columns(floats(context->input(0)), rows, width, x, stride, 0, blocks);
    for (int64_t layer = 0; layer < step.layers; layer++) {
      const auto given = [&](int which, int64_t in) { return map(context, step, layer, which, in); };
      normalise(2 * layer);
      const PackedMap maps[] = {given(0, width), given(1, width), given(2, width)};
      float* const results[] = {queries, keys, values};
      const int64_t counts[] = {panels(wide), panels(narrow), panels(narrow)};
      const double cycles = kPanel * channel_cycles(maps[0], stride);
      share_long(context, counts[0] + 2 * counts[1], cycles, [&](int64_t begin, int64_t end) {
        for (int64_t unit = begin; unit < end; unit++) {
          int i = 0;
          int64_t panel = unit;
          for (; panel >= counts[i]; i++) panel -= counts[i];
          panel_product(maps[i], normed, stride, results[i] + panel * kPanel * stride, false, panel);
        }
      });
      in_blocks(wide + 2 * narrow, [&](int64_t begin, int64_t end) {
        loops().columns_to_rows(queries, stride, rows, wide, query_rows, wide, begin, end);
        loops().columns_to_rows(keys, stride, rows, narrow, key_rows, narrow, begin, end);
        loops().columns_to_rows(values, stride, rows, narrow, newest(context, step, layer, 1, 0),
                                newest_stride(step), begin, end);
        turn(context, step, layer, query_rows, key_rows, turned, begin * 16, std::min(end * 16, rows));
      });
      attention(context, step, layer, turned, mixed_rows, log_sum);
      in_blocks(wide, [&](int64_t begin, int64_t end) {
        loops().rows_to_columns(mixed_rows, rows, wide, mixed, stride, begin, end);
      });
      add(given(3, wide), mixed);
      normalise(2 * layer + 1);
      const PackedMap gates = given(4, width), ups = given(5, width);
      share_long(context, panels(inner), 2 * kPanel * channel_cycles(gates, stride), [&](int64_t begin, int64_t end) {
        for (int64_t panel = begin; panel < end; panel++) {
          const int64_t first = panel * kPanel * stride, last = std::min((panel + 1) * kPanel, inner) * stride;
          panel_product(gates, normed, stride, gate + first, false, panel);
          panel_product(ups, normed, stride, hidden + first, false, panel);
          loops().swiglu(gate, hidden, hidden, first, last);
        }
      });
      add(given(6, inner), hidden);
    }
    normalise(2 * step.layers);
    loops().columns_to_rows(normed, stride, rows, width, states, width, 0, blocks);
  }

  int64_t map_count_, norm_count_, cache_count_;
  float epsilon_;
};

REGISTER_KERNEL_BUILDER(Name("LatentDecoderStep").Device(tensorflow::DEVICE_CPU), DecoderStepOp);

}  // namespace latent
