// LatentFeedForward and its gradient: a decoder layer's second half in one operation,
// y = x + down(silu(gate(n)) up(n)) with n = norm(x) weight (Shazeer 2020; Zhang and Sennrich 2019).
#pragma once

#include "block.h"

namespace latent {

// Inputs of both: x [N, D], norm [D], weights of gate, up and down, adapters.
#define LATENT_FEED_FORWARD_INPUTS \
  Input("x: float")                \
      .Input("norm: float")        \
      .Input("gate: float")        \
      .Input("up: float")          \
      .Input("down: float")        \
      .LATENT_ADAPTER_INPUTS

// `kept` is what the backward pass reads.
REGISTER_OP("LatentFeedForward")
    .LATENT_FEED_FORWARD_INPUTS.Output("y: float")
    .Output("kept: float")
    .Attr("epsilon: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentFeedForwardGradient")
    .LATENT_FEED_FORWARD_INPUTS.Input("kept: float")
    .Input("dy: float")
    .Output("gradients: gradient_count * float")
    .Attr("gradient_count: int >= 1")
    .Attr("weights: bool")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

struct FeedForward {
  // Where the parts of `kept` stand: 1 / rms [N], gate and up [N, F], and, one after the other, what the adapters lowered
  // [N, three ranks] and merged weights.
  struct Kept {
    int64_t inverse, gated, raised, low, count;
  };

  int64_t rows, width, inner;
  bool adapted;
  const float *x, *norm;
  LinearMap gate, up, down;

  double flops_per_row() const { return 6.0 * width * inner; }
  int64_t ranks() const { return gate.rank + up.rank + down.rank; }
  int64_t largest_rank() const { return std::max({gate.rank, up.rank, down.rank}); }
  Kept kept() const {
    Parts parts;
    Kept kept;
    kept.inverse = parts.add(rows);
    kept.gated = parts.add(rows * inner);
    kept.raised = parts.add(rows * inner);
    kept.low = parts.add(rows * ranks() + merged_count(rows, {&gate, &up, &down}));
    kept.count = parts.count();
    return kept;
  }
  bool drops() const { return gate.drops() || up.drops() || down.drops(); }
};

inline bool read_feed_forward(OpKernelContext* context, FeedForward* block) {
  const Tensor &x = context->input(0), &norm = context->input(1);
  bool fits = x.dims() == 2 && norm.NumElements() == x.dim_size(1) && context->input(2).dims() == 2;
  if (fits) {
    block->rows = x.dim_size(0);
    block->width = x.dim_size(1);
    block->inner = context->input(2).dim_size(0);
    block->x = floats(x);
    block->norm = floats(norm);
    fits = read_weight(context->input(2), block->inner, block->width, &block->gate) &&
           read_weight(context->input(3), block->inner, block->width, &block->up) &&
           read_weight(context->input(4), block->width, block->inner, &block->down) &&
           read_adapters(context, {&block->gate, &block->up, &block->down}, &block->adapted);
  }
  if (!fits) context->SetStatus(tensorflow::errors::InvalidArgument("expected x [N, D] and maps D to F, D to F, F to D"));
  return fits;
}

class FeedForwardOp : public OpKernel {
 public:
  explicit FeedForwardOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    FeedForward block;
    if (!read_feed_forward(context, &block)) return;
    const int64_t rows = block.rows, width = block.width, inner = block.inner;
    float* y = output(context, 0, context->input(0).shape());
    const FeedForward::Kept at = block.kept();
    float* kept = output(context, 1, TensorShape({at.count}));
    float *inverse = kept + at.inverse, *gated = kept + at.gated, *raised = kept + at.raised, *low = kept + at.low;
    const bool drops = block.drops();
    auto maps = PackedMaps::of_output(rows, {&block.gate, &block.up, &block.down}, low + rows * block.ranks());
    const Stretches stretches(context, rows);
    Parts parts;  // of a thread's memory
    const int64_t length = stretches.length, larger = std::max(width, inner);
    const int64_t at_normed = parts.add(length * width), at_hidden = parts.add(length * inner);
    const int64_t at_factor = parts.add(length * larger), at_low = parts.add(length * block.largest_rank());
    const int64_t at_left = parts.add(drops ? length * larger : 0), at_seen = parts.add(drops ? length * larger : 0);
    Tensor memory;
    float* packed = working(context, maps.count() + stretches.slots * parts.count(), &memory);
    if (!context->status().ok()) return;  // an empty output is no error, and null as well
    float* low_up = low + rows * block.gate.rank;
    float* low_down = low_up + rows * block.up.rank;
    maps.pack(context, packed);
    float* own = packed + maps.count();
    stretches.run(context, block.flops_per_row(), own, parts.count(), [&](int64_t begin, int64_t end, float* scratch) {
      const int64_t count = end - begin;
      float *normed = scratch + at_normed, *hidden = scratch + at_hidden, *factor = scratch + at_factor;
      const auto apply = [&](int which, const LinearMap& map, const float* x, float* lowered, float* to, bool add) {
        const float* seen = seen_factor(map, x, factor, rows, begin, end, scratch + at_left, scratch + at_seen);
        apply_map(map, maps[which], factor, seen, count, lowered + begin * map.rank, scratch + at_low, to, add);
      };
      loops().rms_norm(block.x + begin * width, block.norm, epsilon_, width, normed, inverse + begin, 0, count);
      loops().pack_factor(normed, width, count, width, factor);
      float *gates = gated + begin * inner, *ups = raised + begin * inner;
      apply(0, block.gate, normed, low, gates, false);
      apply(1, block.up, normed, low_up, ups, false);
      loops().swiglu(gates, ups, hidden, 0, count * inner);
      loops().pack_factor(hidden, inner, count, inner, factor);
      std::copy(block.x + begin * width, block.x + end * width, y + begin * width);
      apply(2, block.down, hidden, low_down, y + begin * width, true);
    });
  }

 private:
  float epsilon_;
};

class FeedForwardGradientOp : public OpKernel {
 public:
  explicit FeedForwardGradientOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("weights", &weights_));
  }

  void Compute(OpKernelContext* context) override {
    FeedForward block;
    if (!read_feed_forward(context, &block)) return;
    const int64_t rows = block.rows, width = block.width, inner = block.inner;
    const FeedForward::Kept at = block.kept();
    const Tensor &held = context->input(context->num_inputs() - 2), &slope = context->input(context->num_inputs() - 1);
    LATENT_REQUIRE(context, slope.shape() == context->input(0).shape() && held.NumElements() == at.count,
                   "expected what the forward pass saw and gave");
    const float *kept = floats(held), *dy = floats(slope);
    const float *inverse = kept + at.inverse, *gated = kept + at.gated, *raised = kept + at.raised, *low = kept + at.low;
    float* gradients[11];
    if (!gradient_outputs(context, {&block.gate, &block.up, &block.down}, weights_, block.adapted, gradients)) return;
    const bool drops = block.drops();
    const int64_t norm_sums = norm_parts(rows);
    auto maps = PackedMaps::of_input_gradient(rows, {&block.gate, &block.up, &block.down}, low + rows * block.ranks());
    const Stretches stretches(context, rows);
    Parts own;  // of a thread's memory
    const int64_t length = stretches.length, larger = std::max(width, inner);
    const int64_t at_factor = own.add(length * larger), at_low = own.add(length * block.largest_rank());
    const int64_t at_left = own.add(drops ? length * larger : 0);
    Parts parts;
    const int64_t at_normed = parts.add(rows * width), at_d_normed = parts.add(rows * width);
    const int64_t at_hidden = parts.add(rows * inner), at_d_gated = parts.add(rows * inner);
    const int64_t at_d_raised = parts.add(rows * inner), at_d_low = parts.add(rows * block.ranks());
    const int64_t at_sums = parts.add(norm_sums * width);
    // what adapters see under dropout: of n twice, of the hidden numbers once
    const int64_t at_seen_gate = parts.add(drops ? rows * width : 0), at_seen_up = parts.add(drops ? rows * width : 0);
    const int64_t at_seen_down = parts.add(drops ? rows * inner : 0);
    const int64_t at_packed = parts.add(maps.count()), at_scratch = parts.add(stretches.slots * own.count());
    Tensor memory;
    float* all = working(context, parts.count(), &memory);
    if (!context->status().ok()) return;
    float *normed = all + at_normed, *d_normed = all + at_d_normed, *hidden = all + at_hidden;
    float *d_gated = all + at_d_gated, *d_raised = all + at_d_raised, *sums = all + at_sums;
    float *d_low = all + at_d_low, *d_low_up = d_low + rows * block.gate.rank;
    float* d_low_down = d_low_up + rows * block.up.rank;
    float *seen_gate = drops ? all + at_seen_gate : normed, *seen_up = drops ? all + at_seen_up : normed;
    float* seen_down = drops ? all + at_seen_down : hidden;
    maps.pack(context, all + at_packed);
    float* scratches = all + at_scratch;
    stretches.run(context, 2 * block.flops_per_row(), scratches, own.count(),
                  [&](int64_t begin, int64_t end, float* scratch) {
      const auto gradient_in = [&](int which, const LinearMap& map, const float* slope, float* lowered, float* to,
                                   bool add) {
        float* factor = scratch + at_factor;
        loops().pack_factor(slope + begin * map.out, map.out, end - begin, map.out, factor);
        input_gradient(map, maps[which], factor, rows, begin, end, lowered + begin * map.rank, scratch + at_low,
                       to + begin * map.in, add, scratch + at_left);
      };
      normed_again(block.x, block.norm, inverse, width, {}, begin, end, normed);
      loops().swiglu(gated, raised, hidden, begin * inner, end * inner);
      if (drops) {
        seen_by(block.gate, normed, rows, begin, end, seen_gate);
        seen_by(block.up, normed, rows, begin, end, seen_up);
        seen_by(block.down, hidden, rows, begin, end, seen_down);
      }
      // the gradient of the hidden numbers stands where that of gate goes
      gradient_in(2, block.down, dy, d_low_down, d_gated, false);
      loops().swiglu_gradient(gated, raised, d_gated, d_gated, d_raised, begin * inner, end * inner);
      gradient_in(0, block.gate, d_gated, d_low, d_normed, false);
      gradient_in(1, block.up, d_raised, d_low_up, d_normed, true);
    });
    norm_gradient(context, block.x, block.norm, inverse, d_normed, dy, rows, width, sums, gradients[0], gradients[1]);
    const float* low_up = low + rows * block.gate.rank;
    const float* low_down = low_up + rows * block.up.rank;
    WeightGradients products(rows);
    products.add(d_gated, inner, normed, width, gradients[2]);
    products.add(d_raised, inner, normed, width, gradients[5]);
    products.add(dy, width, hidden, inner, gradients[8]);
    adapter_gradients(&products, block.gate, d_gated, seen_gate, low, d_low, gradients + 3);
    adapter_gradients(&products, block.up, d_raised, seen_up, low_up, d_low_up, gradients + 6);
    adapter_gradients(&products, block.down, dy, seen_down, low_down, d_low_down, gradients + 9);
    products.run(context);
  }

 private:
  bool weights_;
};

REGISTER_KERNEL_BUILDER(Name("LatentFeedForward").Device(tensorflow::DEVICE_CPU), FeedForwardOp);
REGISTER_KERNEL_BUILDER(Name("LatentFeedForwardGradient").Device(tensorflow::DEVICE_CPU), FeedForwardGradientOp);

}  // namespace latent
