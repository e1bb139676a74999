// LatentAdamW: one step of the optimiser over all tensors that are trained, in their own memory.
#pragma once

#include <cmath>
#include <vector>

#include "op.h"

namespace latent {

// mean and variance hold the state of all weights, one tensor after the other; decayed has a flag for each tensor.
// Weights, mean and variance are written into, unless the norm of all gradients or the sum of the losses is not
// finite; whether they were, the caller sees by the same two numbers. Settings are beta1, beta2, epsilon, rate, decay
// and the largest norm; they are a tensor, since TensorFlow keeps a kernel for every combination of attributes.
REGISTER_OP("LatentAdamW")
    .Input("weights: count * float")
    .Input("gradients: count * float")
    .Input("mean: float")
    .Input("variance: float")
    .Input("decayed: int32")
    .Input("losses: float")
    .Input("settings: float")
    .Output("norm: float")
    .Attr("count: int >= 1")
    .SetIsStateful()
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

class AdamWOp : public OpKernel {
 public:
  explicit AdamWOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    tensorflow::OpInputList weights, gradients;
    OP_REQUIRES_OK(context, context->input_list("weights", &weights));
    OP_REQUIRES_OK(context, context->input_list("gradients", &gradients));
    const int count = weights.size();
    const Tensor &mean = context->input(2 * count), &variance = context->input(2 * count + 1);
    const Tensor &decayed = context->input(2 * count + 2), &losses = context->input(2 * count + 3);
    LATENT_REQUIRE(context, decayed.NumElements() == count, "expected a flag for each tensor");
    LATENT_REQUIRE(context, context->input(2 * count + 4).NumElements() == 6, "expected six settings");
    LATENT_REQUIRE(context, held_once(mean) && held_once(variance), "expected a state that no one else holds");
    std::vector<Part> parts;
    int64_t total = 0;
    for (int i = 0; i < count; i++) {
      LATENT_REQUIRE(context, weights[i].shape() == gradients[i].shape(), "expected gradients like the weights");
      LATENT_REQUIRE(context, held_once(weights[i]), "expected weights that no one else holds");
      const int64_t size = weights[i].NumElements();
      for (int64_t at = 0; at < size; at += kPart) parts.push_back({i, at, std::min(at + kPart, size), total + at});
      total += size;
    }
    LATENT_REQUIRE(context, mean.NumElements() == total && variance.NumElements() == total,
                   "expected a state of the length of all weights");
    float* norm = output(context, 0, TensorShape({}));
    if (norm == nullptr) return;

    const int64_t units = parts.size();
    std::vector<double> sums(units);
    share_out(context, units, kPart / 2.0, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        sums[i] = square_sum(floats(gradients[parts[i].tensor]) + parts[i].begin, parts[i].end - parts[i].begin);
    });
    double squares = 0, loss = 0;
    for (const double sum : sums) squares += sum;
    for (int64_t i = 0; i < losses.NumElements(); i++) loss += floats(losses)[i];
    *norm = static_cast<float>(std::sqrt(squares));
    if (!std::isfinite(*norm) || !std::isfinite(loss)) return;

    const float* setting = floats(context->input(2 * count + 4));
    const float clip = setting[5], scale = *norm > clip ? clip / *norm : 1.0f;
    share_out(context, units, 4.0 * kPart, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const Part& part = parts[i];
        const float decay = ints(decayed)[part.tensor] != 0 ? setting[4] : 0.0f;
        const AdamWSettings settings = {setting[0], setting[1], setting[2], setting[3], decay, scale};
        const AdamWVectors vectors = {floats(gradients[part.tensor]) + part.begin,
                                      writable(weights[part.tensor]) + part.begin, writable(mean) + part.state,
                                      writable(variance) + part.state};
        loops().adam_w(settings, vectors, 0, part.end - part.begin);
      }
    });
  }

 private:
  // Numbers [begin, end) of a tensor, whose state begins at `state`. Cut by their number alone, so that the norm's bits
  // do not depend on threads.
  struct Part {
    int tensor;
    int64_t begin, end, state;
  };
  static constexpr int64_t kPart = 1 << 14;

  // See LatentCacheAppend: a handle of eager execution holds its memory twice.
  static bool held_once(const Tensor& tensor) { return tensor.NumElements() == 0 || tensor.RefCount() <= 2; }
  static float* writable(const Tensor& tensor) { return const_cast<float*>(floats(tensor)); }

  static double square_sum(const float* x, int64_t count) {
    double sums[8] = {};
    int64_t i = 0;
    for (; i + 8 <= count; i += 8)
      for (int lane = 0; lane < 8; lane++) sums[lane] += static_cast<double>(x[i + lane]) * x[i + lane];
    for (; i < count; i++) sums[i % 8] += static_cast<double>(x[i]) * x[i];
    double sum = 0;
    for (const double lane : sums) sum += lane;
    return sum;
  }
};

REGISTER_KERNEL_BUILDER(Name("LatentAdamW").Device(tensorflow::DEVICE_CPU), AdamWOp);

}  // namespace latent
