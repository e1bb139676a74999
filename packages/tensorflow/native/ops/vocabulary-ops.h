// LatentCrossEntropy, LatentFullKl, LatentSparseKl: a loss and its slope at once; LatentScaleRows, their gradient.
#pragma once

#include "op.h"

namespace latent {

REGISTER_OP("LatentCrossEntropy")
    .Input("logits: float")
    .Input("targets: int32")
    .Output("loss: float")
    .Output("slope: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentFullKl")
    .Input("logits: float")
    .Input("probabilities: float")
    .Output("loss: float")
    .Output("slope: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentSparseKl")
    .Input("logits: float")
    .Input("ids: int32")
    .Input("probabilities: float")
    .Output("loss: float")
    .Output("slope: float")
    .Attr("tail: bool")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentScaleRows")
    .Input("rows: float")
    .Input("factors: float")
    .Output("y: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

constexpr double kCyclesPerLogit = 1.5;

class VocabularyLossOp : public OpKernel {
 public:
  explicit VocabularyLossOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& logits = context->input(0);
    LATENT_REQUIRE(context, logits.dims() == 2 && logits.dim_size(1) > 0, "expected logits [R, V]");
    const int64_t rows = logits.dim_size(0), vocabulary = logits.dim_size(1);
    if (!accepts(context, rows, vocabulary)) {
      context->SetStatus(tensorflow::errors::InvalidArgument("expected labels that fit the logits"));
      return;
    }
    float* loss = output(context, 0, TensorShape({rows}));
    float* slope = output(context, 1, logits.shape());
    if (loss == nullptr || slope == nullptr) return;
    share_out(context, rows, kCyclesPerLogit * vocabulary, [&](int64_t begin, int64_t end) {
      run(context, floats(logits), vocabulary, loss, slope, begin, end);
    });
  }

 protected:
  virtual bool accepts(OpKernelContext* context, int64_t rows, int64_t vocabulary) const = 0;
  virtual void run(OpKernelContext* context, const float* logits, int64_t vocabulary, float* loss, float* slope,
                   int64_t begin, int64_t end) const = 0;
};

class CrossEntropyOp : public VocabularyLossOp {
 public:
  explicit CrossEntropyOp(OpKernelConstruction* construction) : VocabularyLossOp(construction) {}

 protected:
  bool accepts(OpKernelContext* context, int64_t rows, int64_t vocabulary) const override {
    return context->input(1).NumElements() == rows && within(context->input(1), vocabulary);
  }
  void run(OpKernelContext* context, const float* logits, int64_t vocabulary, float* loss, float* slope, int64_t begin,
           int64_t end) const override {
    loops().cross_entropy(logits, ints(context->input(1)), vocabulary, loss, slope, begin, end);
  }
};

class FullKlOp : public VocabularyLossOp {
 public:
  explicit FullKlOp(OpKernelConstruction* construction) : VocabularyLossOp(construction) {}

 protected:
  bool accepts(OpKernelContext* context, int64_t, int64_t) const override {
    return context->input(1).shape() == context->input(0).shape();
  }
  void run(OpKernelContext* context, const float* logits, int64_t vocabulary, float* loss, float* slope, int64_t begin,
           int64_t end) const override {
    loops().full_kl(logits, floats(context->input(1)), vocabulary, loss, slope, begin, end);
  }
};

class SparseKlOp : public VocabularyLossOp {
 public:
  explicit SparseKlOp(OpKernelConstruction* construction) : VocabularyLossOp(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("tail", &tail_));
  }

 protected:
  bool accepts(OpKernelContext* context, int64_t rows, int64_t vocabulary) const override {
    const Tensor& ids = context->input(1);
    return ids.dims() == 2 && ids.dim_size(0) == rows && context->input(2).shape() == ids.shape() &&
           within(ids, vocabulary);
  }
  void run(OpKernelContext* context, const float* logits, int64_t vocabulary, float* loss, float* slope, int64_t begin,
           int64_t end) const override {
    const Tensor& ids = context->input(1);
    const SparseTeacher teacher = {ints(ids), floats(context->input(2)), ids.dim_size(1), tail_};
    loops().sparse_kl(logits, teacher, vocabulary, loss, slope, begin, end);
  }

 private:
  bool tail_;
};

class ScaleRowsOp : public OpKernel {
 public:
  explicit ScaleRowsOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor &rows = context->input(0), &factors = context->input(1);
    LATENT_REQUIRE(context, rows.dims() == 2 && factors.NumElements() == rows.dim_size(0), "expected a factor a row");
    float* y = output(context, 0, rows.shape());
    if (y == nullptr) return;
    const int64_t width = rows.dim_size(1);
    share_out(context, rows.dim_size(0), 10 + width / 4.0, [&](int64_t begin, int64_t end) {
      loops().scale_rows(floats(rows), floats(factors), width, y, begin, end);
    });
  }
};

REGISTER_KERNEL_BUILDER(Name("LatentCrossEntropy").Device(tensorflow::DEVICE_CPU), CrossEntropyOp);
REGISTER_KERNEL_BUILDER(Name("LatentFullKl").Device(tensorflow::DEVICE_CPU), FullKlOp);
REGISTER_KERNEL_BUILDER(Name("LatentSparseKl").Device(tensorflow::DEVICE_CPU), SparseKlOp);
REGISTER_KERNEL_BUILDER(Name("LatentScaleRows").Device(tensorflow::DEVICE_CPU), ScaleRowsOp);

}  // namespace latent
