// LatentGatherRows and LatentPickRows read rows without a look at the indices from JavaScript; LatentMixture reads
// and mixes them.
#pragma once

#include "op.h"

namespace latent {

REGISTER_OP("LatentGatherRows")
    .Input("table: float")
    .Input("rows: int32")
    .Output("y: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentPickRows")
    .Input("first: float")
    .Input("second: float")
    .Input("places: int32")
    .Output("y: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentMixture")
    .Input("alpha: float")
    .Input("ids: int32")
    .Input("table: float")
    .Output("z: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentMixtureGradient")
    .Input("dz: float")
    .Input("ids: int32")
    .Input("table: float")
    .Output("alpha_gradient: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

// The rows of `first`, then of `second`, at places.
class PickRowsOp : public OpKernel {
 public:
  explicit PickRowsOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const bool two = context->num_inputs() == 3;
    const Tensor &first = context->input(0), &places = context->input(two ? 2 : 1);
    LATENT_REQUIRE(context, first.dims() == 2 && places.dims() == 1, "expected a table [R, D] and places [N]");
    const int64_t width = first.dim_size(1), split = first.dim_size(0);
    int64_t total = split;
    const float* beyond = nullptr;
    if (two) {
      const Tensor& second = context->input(1);
      LATENT_REQUIRE(context, second.dims() == 2 && second.dim_size(1) == width, "expected tables of one width");
      total += second.dim_size(0);
      beyond = floats(second);
    }
    LATENT_REQUIRE(context, within(places, total), "expected places within the table");
    float* y = output(context, 0, TensorShape({places.dim_size(0), width}));
    if (y == nullptr) return;
    const int32_t* place = ints(places);
    const float* table = floats(first);
    share_out(context, places.dim_size(0), 10 + width / 4.0, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const float* from = place[i] < split ? table + place[i] * width : beyond + (place[i] - split) * width;
        std::copy(from, from + width, y + i * width);
      }
    });
  }
};

class MixtureOp : public OpKernel {
 public:
  explicit MixtureOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor &alpha = context->input(0), &ids = context->input(1), &table = context->input(2);
    LATENT_REQUIRE(context, ids.dims() == 2 && alpha.shape() == ids.shape() && table.dims() == 2,
                   "expected alpha and ids [R, k] and a table [V, D]");
    LATENT_REQUIRE(context, within(ids, table.dim_size(0)), "expected ids within the table");
    const int64_t rows = ids.dim_size(0), count = ids.dim_size(1), width = table.dim_size(1);
    float* z = output(context, 0, TensorShape({rows, width}));
    if (z == nullptr) return;
    share_out(context, rows, static_cast<double>(count * width), [&](int64_t begin, int64_t end) {
      loops().mixture(floats(alpha), ints(ids), floats(table), count, width, z, begin, end);
    });
  }
};

class MixtureGradientOp : public OpKernel {
 public:
  explicit MixtureGradientOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor &dz = context->input(0), &ids = context->input(1), &table = context->input(2);
    LATENT_REQUIRE(context, ids.dims() == 2 && table.dims() == 2 && dz.dims() == 2, "expected three matrices");
    const int64_t rows = ids.dim_size(0), count = ids.dim_size(1), width = table.dim_size(1);
    LATENT_REQUIRE(context, dz.dim_size(0) == rows && dz.dim_size(1) == width && within(ids, table.dim_size(0)),
                   "expected ids within the table and a gradient of the mixtures");
    float* alpha_gradient = output(context, 0, ids.shape());
    if (alpha_gradient == nullptr) return;
    share_out(context, rows, static_cast<double>(count * width), [&](int64_t begin, int64_t end) {
      loops().mixture_gradient(floats(dz), ints(ids), floats(table), count, width, alpha_gradient, begin, end);
    });
  }
};

REGISTER_KERNEL_BUILDER(Name("LatentGatherRows").Device(tensorflow::DEVICE_CPU), PickRowsOp);
REGISTER_KERNEL_BUILDER(Name("LatentPickRows").Device(tensorflow::DEVICE_CPU), PickRowsOp);
REGISTER_KERNEL_BUILDER(Name("LatentMixture").Device(tensorflow::DEVICE_CPU), MixtureOp);
REGISTER_KERNEL_BUILDER(Name("LatentMixtureGradient").Device(tensorflow::DEVICE_CPU), MixtureGradientOp);

}  // namespace latent
