// LatentSwiglu, LatentRmsNorm and their gradients, LatentRotary, LatentDropout.
#pragma once

#include "op.h"

namespace latent {

REGISTER_OP("LatentSwiglu")
    .Input("gate: float")
    .Input("up: float")
    .Output("y: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentSwigluGradient")
    .Input("gate: float")
    .Input("up: float")
    .Input("dy: float")
    .Output("gate_gradient: float")
    .Output("up_gradient: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentRmsNorm")
    .Input("x: float")
    .Input("weight: float")
    .Output("y: float")
    .Output("inverse: float")
    .Attr("epsilon: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentRmsNormGradient")
    .Input("x: float")
    .Input("weight: float")
    .Input("inverse: float")
    .Input("dy: float")
    .Output("x_gradient: float")
    .Output("weight_gradient: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentRotary")
    .Input("x: float")
    .Input("cosine: float")
    .Input("sine: float")
    .Output("y: float")
    .Attr("backwards: bool")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

// The draw is a tensor, not attributes: TensorFlow keeps a kernel for every combination of attributes.
REGISTER_OP("LatentDropout")
    .Input("x: float")
    .Input("draw: int32")
    .Input("scale: float")
    .Output("y: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

class SwigluOp : public OpKernel {
 public:
  explicit SwigluOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor &gate = context->input(0), &up = context->input(1);
    LATENT_REQUIRE(context, gate.shape() == up.shape(), "expected up of the shape of gate");
    float* y = output(context, 0, gate.shape());
    if (y == nullptr) return;
    share_out(context, gate.NumElements(), 3, [&](int64_t begin, int64_t end) {
      loops().swiglu(floats(gate), floats(up), y, begin, end);
    });
  }
};

class SwigluGradientOp : public OpKernel {
 public:
  explicit SwigluGradientOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor &gate = context->input(0), &up = context->input(1), &dy = context->input(2);
    LATENT_REQUIRE(context, gate.shape() == up.shape() && gate.shape() == dy.shape(), "expected three equal shapes");
    float* gate_gradient = output(context, 0, gate.shape());
    float* up_gradient = output(context, 1, gate.shape());
    if (gate_gradient == nullptr || up_gradient == nullptr) return;
    share_out(context, gate.NumElements(), 4, [&](int64_t begin, int64_t end) {
      loops().swiglu_gradient(floats(gate), floats(up), floats(dy), gate_gradient, up_gradient, begin, end);
    });
  }
};

// Rows of x for a weight of `width` numbers, or -1 if they do not fit.
inline int64_t rows_of(const Tensor& x, int64_t width) {
  const bool fits = x.dims() > 0 && width > 0 && x.dim_size(x.dims() - 1) == width;
  return fits ? x.NumElements() / width : -1;
}

class RmsNormOp : public OpKernel {
 public:
  explicit RmsNormOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &weight = context->input(1);
    const int64_t width = weight.NumElements(), rows = rows_of(x, width);
    LATENT_REQUIRE(context, rows >= 0, "expected x [..., D] for a weight [D]");
    float* y = output(context, 0, x.shape());
    float* inverse = output(context, 1, TensorShape({rows}));
    if (y == nullptr || inverse == nullptr) return;
    share_out(context, rows, static_cast<double>(width), [&](int64_t begin, int64_t end) {
      loops().rms_norm(floats(x), floats(weight), epsilon_, width, y, inverse, begin, end);
    });
  }

 private:
  float epsilon_;
};

class RmsNormGradientOp : public OpKernel {
 public:
  explicit RmsNormGradientOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &weight = context->input(1), &inverse = context->input(2);
    const Tensor& dy = context->input(3);
    const int64_t width = weight.NumElements(), rows = rows_of(x, width);
    LATENT_REQUIRE(context, rows >= 0 && dy.shape() == x.shape() && inverse.NumElements() == rows,
                   "expected what the forward pass saw and gave");
    float* x_gradient = output(context, 0, x.shape());
    float* weight_gradient = output(context, 1, weight.shape());
    if (x_gradient == nullptr || weight_gradient == nullptr) return;
    // The rows are cut by their number alone, and the parts' sums added in their order.
    const int64_t parts = rows < kParts ? rows : kParts;
    Tensor sums;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_FLOAT, TensorShape({parts, width}), &sums));
    float* sum = sums.flat<float>().data();
    share_out(context, parts, 2.0 * width * (rows / (parts + 1.0)), [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; part++) {
        float* own = sum + part * width;
        std::fill(own, own + width, 0.0f);
        loops().rms_norm_gradient(floats(x), floats(weight), floats(inverse), floats(dy), width, x_gradient, own,
                                  rows * part / parts, rows * (part + 1) / parts);
      }
    });
    loops().sum_parts(sum, parts, width, weight_gradient, 0, width);
  }

 private:
  static constexpr int64_t kParts = 32;
};

class RotaryOp : public OpKernel {
 public:
  explicit RotaryOp(OpKernelConstruction* construction) : OpKernel(construction) {
    bool backwards;
    OP_REQUIRES_OK(construction, construction->GetAttr("backwards", &backwards));
    turn_ = backwards ? -1.0f : 1.0f;
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &cosine = context->input(1), &sine = context->input(2);
    LATENT_REQUIRE(context, x.dims() == 4 && x.dim_size(3) % 2 == 0, "expected x [B, T, H, d] with an even d");
    const int64_t positions = x.dim_size(0) * x.dim_size(1), heads = x.dim_size(2), width = x.dim_size(3);
    LATENT_REQUIRE(context, cosine.NumElements() == positions * width && sine.NumElements() == positions * width,
                   "expected a table of B, T and d of x");
    float* y = output(context, 0, x.shape());
    if (y == nullptr) return;
    share_out(context, positions, static_cast<double>(heads * width), [&](int64_t begin, int64_t end) {
      loops().rotary(floats(x), floats(cosine), floats(sine), turn_, heads, width, y, begin, end);
    });
  }

 private:
  float turn_;
};

class DropoutOp : public OpKernel {
 public:
  explicit DropoutOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &words = context->input(1), &scale = context->input(2);
    LATENT_REQUIRE(context, words.NumElements() == 5 && scale.NumElements() == 1, "expected a draw of 5 words, a scale");
    const auto word = [&](int i) { return static_cast<uint32_t>(ints(words)[i]); };
    const DropoutDraw draw = {word(0), word(1), word(2), word(3), word(4), floats(scale)[0]};
    float* y = output(context, 0, x.shape());
    if (y == nullptr) return;
    const int64_t count = x.NumElements();
    share_out(context, (count + 3) / 4, 30, [&](int64_t begin, int64_t end) {
      loops().dropout(floats(x), draw, count, y, begin, end);
    });
  }
};

REGISTER_KERNEL_BUILDER(Name("LatentSwiglu").Device(tensorflow::DEVICE_CPU), SwigluOp);
REGISTER_KERNEL_BUILDER(Name("LatentSwigluGradient").Device(tensorflow::DEVICE_CPU), SwigluGradientOp);
REGISTER_KERNEL_BUILDER(Name("LatentRmsNorm").Device(tensorflow::DEVICE_CPU), RmsNormOp);
REGISTER_KERNEL_BUILDER(Name("LatentRmsNormGradient").Device(tensorflow::DEVICE_CPU), RmsNormGradientOp);
REGISTER_KERNEL_BUILDER(Name("LatentRotary").Device(tensorflow::DEVICE_CPU), RotaryOp);
REGISTER_KERNEL_BUILDER(Name("LatentDropout").Device(tensorflow::DEVICE_CPU), DropoutOp);

}  // namespace latent
