// LatentFeedForward and its gradient: a decoder layer's second half in one operation,
// y = x + down(silu(gate(n)) up(n)) with n = norm(x) weight (Shazeer 2020; Zhang and Sennrich 2019).
#pragma once

#include "block.h"

namespace latent {

// Inputs of both: x [N, D], norm [D], weight, lower and raise of gate, up and down, scale, draws, kept.
#define LATENT_FEED_FORWARD_INPUTS \
  Input("x: float")                \
      .Input("norm: float")        \
      .Input("gate: float")        \
      .Input("gate_lower: float")  \
      .Input("gate_raise: float")  \
      .Input("up: float")          \
      .Input("up_lower: float")    \
      .Input("up_raise: float")    \
      .Input("down: float")        \
      .Input("down_lower: float")  \
      .Input("down_raise: float")  \
      .Input("scale: float")       \
      .Input("draws: int32")       \
      .Input("kept: float")

// Kept for the backward pass: 1 / rms [N], gate and up [N, F], and what the adapters lowered [N, three ranks].
REGISTER_OP("LatentFeedForward")
    .LATENT_FEED_FORWARD_INPUTS.Output("y: float")
    .Output("inverse: float")
    .Output("gated: float")
    .Output("raised: float")
    .Output("lowered: float")
    .Attr("epsilon: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

// Gradients of all inputs up to `down_raise`; of weights and norm only where asked for, else they are empty.
REGISTER_OP("LatentFeedForwardGradient")
    .LATENT_FEED_FORWARD_INPUTS.Input("inverse: float")
    .Input("gated: float")
    .Input("raised: float")
    .Input("lowered: float")
    .Input("dy: float")
    .Output("dx: float")
    .Output("d_norm: float")
    .Output("d_gate: float")
    .Output("d_gate_lower: float")
    .Output("d_gate_raise: float")
    .Output("d_up: float")
    .Output("d_up_lower: float")
    .Output("d_up_raise: float")
    .Output("d_down: float")
    .Output("d_down_lower: float")
    .Output("d_down_raise: float")
    .Attr("weights: bool")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

struct FeedForward {
  int64_t rows, width, inner;
  const float *x, *norm;
  LinearMap gate, up, down;

  double flops_per_row() const { return 6.0 * width * inner; }
  int64_t ranks() const { return gate.rank + up.rank + down.rank; }
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
    fits = read_map(context, 2, block->inner, block->width, &block->gate) &&
           read_map(context, 5, block->inner, block->width, &block->up) &&
           read_map(context, 8, block->width, block->inner, &block->down) &&
           read_adapters(context, 11, {&block->gate, &block->up, &block->down});
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
    float* inverse = output(context, 1, TensorShape({rows}));
    float* gated = output(context, 2, TensorShape({rows, inner}));
    float* raised = output(context, 3, TensorShape({rows, inner}));
    float* low = output(context, 4, TensorShape({rows, block.ranks()}));
    const bool drops = block.gate.drops() || block.up.drops() || block.down.drops();
    Tensor memory;
    float* normed = working(context, rows * (width + inner) * (drops ? 2 : 1), &memory);
    if (!context->status().ok()) return;  // an empty output is no error, and null as well
    float* hidden = normed + rows * width;
    float* left = hidden + rows * inner;
    float* left_inner = left + rows * width;
    float* low_up = low + rows * block.gate.rank;
    float* low_down = low_up + rows * block.up.rank;
    share_rows(context, rows, block.flops_per_row(), [&](int64_t begin, int64_t end) {
      loops().rms_norm(block.x, block.norm, epsilon_, width, normed, inverse, begin, end);
      apply_map(block.gate, normed, seen_by(block.gate, normed, rows, begin, end, left), begin, end, low, gated, false);
      apply_map(block.up, normed, seen_by(block.up, normed, rows, begin, end, left), begin, end, low_up, raised, false);
      loops().swiglu(gated, raised, hidden, begin * inner, end * inner);
      std::copy(block.x + begin * width, block.x + end * width, y + begin * width);
      apply_map(block.down, hidden, seen_by(block.down, hidden, rows, begin, end, left_inner), begin, end, low_down, y,
                true);
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
    const float *inverse = floats(context->input(14)), *gated = floats(context->input(15));
    const float *raised = floats(context->input(16)), *low = floats(context->input(17)), *dy = floats(context->input(18));
    LATENT_REQUIRE(context,
                   context->input(18).shape() == context->input(0).shape() &&
                       context->input(15).NumElements() == rows * inner &&
                       context->input(17).NumElements() == rows * block.ranks(),
                   "expected what the forward pass saw and gave");
    float* gradients[11];
    for (int i = 0; i < 11; i++) {
      const bool wanted = i == 0 || (i > 1 && i % 3 != 2) || weights_;
      if (!wanted_output(context, i, i, wanted, &gradients[i])) return;
    }
    const bool drops = block.gate.drops() || block.up.drops() || block.down.drops();
    const int64_t parts = norm_parts(rows);
    Tensor memory;
    const int64_t count = rows * (2 * width + 3 * inner + block.ranks()) + parts * width +
                          (drops ? rows * (2 * width + inner + std::max(width, inner)) : 0);
    float* normed = working(context, count, &memory);
    if (!context->status().ok()) return;
    float* d_normed = normed + rows * width;
    float* hidden = d_normed + rows * width;
    float* d_gated = hidden + rows * inner;
    float* d_raised = d_gated + rows * inner;
    float* d_low = d_raised + rows * inner;
    float* d_low_up = d_low + rows * block.gate.rank;
    float* d_low_down = d_low_up + rows * block.up.rank;
    float* sums = d_low + rows * block.ranks();
    // what adapters see under dropout: of n twice, of the hidden numbers once; and what is dropped of gradients
    float* seen_gate = drops ? sums + parts * width : normed;
    float* seen_up = drops ? seen_gate + rows * width : normed;
    float* seen_down = drops ? seen_up + rows * width : hidden;
    float* left = drops ? seen_down + rows * inner : nullptr;
    share_rows(context, rows, 2 * block.flops_per_row(), [&](int64_t begin, int64_t end) {
      normed_again(block.x, block.norm, inverse, width, begin, end, normed);
      loops().swiglu(gated, raised, hidden, begin * inner, end * inner);
      if (drops) {
        seen_by(block.gate, normed, rows, begin, end, seen_gate);
        seen_by(block.up, normed, rows, begin, end, seen_up);
        seen_by(block.down, hidden, rows, begin, end, seen_down);
      }
      // the gradient of the hidden numbers stands where that of gate goes
      input_gradient(block.down, dy, rows, begin, end, d_low_down, d_gated, false, left);
      loops().swiglu_gradient(gated, raised, d_gated, d_gated, d_raised, begin * inner, end * inner);
      input_gradient(block.gate, d_gated, rows, begin, end, d_low, d_normed, false, left);
      input_gradient(block.up, d_raised, rows, begin, end, d_low_up, d_normed, true, left);
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
