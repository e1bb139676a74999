// LatentGatherRows and LatentPickRows read rows without a look at the indices from JavaScript; LatentMixture reads
// and mixes them; LatentTableGradient sums what comes back.
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

// The table is there for its shape. A mixture has factors [R, k], a plain look-up an empty tensor.
REGISTER_OP("LatentTableGradient")
    .Input("table: float")
    .Input("ids: int32")
    .Input("factors: float")
    .Input("dy: float")
    .Output("table_gradient: float")
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

// Vectors of eight numbers and more, and what each word costs beside them.
inline double mixture_cycles(int64_t count, int64_t width) { return static_cast<double>(count) * (10 + width / 8); }

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
    share_out(context, rows, mixture_cycles(count, width), [&](int64_t begin, int64_t end) {
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
    share_out(context, rows, mixture_cycles(count, width), [&](int64_t begin, int64_t end) {
      loops().mixture_gradient(floats(dz), ints(ids), floats(table), count, width, alpha_gradient, begin, end);
    });
  }
};

class TableGradientOp : public OpKernel {
 public:
  explicit TableGradientOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor &table = context->input(0), &ids = context->input(1), &factors = context->input(2);
    const Tensor& dy = context->input(3);
    const int64_t total = ids.NumElements();
    LATENT_REQUIRE(context, table.dims() == 2 && dy.dims() == 2 && dy.dim_size(1) == table.dim_size(1),
                   "expected a gradient [R, D] for a table [V, D]");
    const int64_t vocabulary = table.dim_size(0), width = table.dim_size(1), rows = dy.dim_size(0);
    const bool mixed = factors.NumElements() > 0;
    LATENT_REQUIRE(context, (rows == 0 ? total == 0 : total % rows == 0) && (!mixed || factors.NumElements() == total),
                   "expected as many ids and factors for each row");
    LATENT_REQUIRE(context, within(ids, vocabulary), "expected ids within the table");
    float* sums = output(context, 0, table.shape());
    if (sums == nullptr) return;
    const TokenSum from = {floats(dy), ints(ids), mixed ? floats(factors) : nullptr,
                           total,      rows == 0 ? 1 : total / rows, width};
    // Tokens in a few stretches: every stretch reads all ids.
    const int64_t stretches = vocabulary < kStretches ? vocabulary : kStretches;
    const double cycles = total + (total + vocabulary) * width / 4.0 / kStretches;
    share_out(context, stretches, cycles, [&](int64_t begin, int64_t end) {
      loops().sum_by_token(from, sums, vocabulary * begin / stretches, vocabulary * end / stretches);
    });
  }

 private:
  static constexpr int64_t kStretches = 16;
};

REGISTER_KERNEL_BUILDER(Name("LatentTableGradient").Device(tensorflow::DEVICE_CPU), TableGradientOp);
REGISTER_KERNEL_BUILDER(Name("LatentGatherRows").Device(tensorflow::DEVICE_CPU), PickRowsOp);
REGISTER_KERNEL_BUILDER(Name("LatentPickRows").Device(tensorflow::DEVICE_CPU), PickRowsOp);
REGISTER_KERNEL_BUILDER(Name("LatentMixture").Device(tensorflow::DEVICE_CPU), MixtureOp);
REGISTER_KERNEL_BUILDER(Name("LatentMixtureGradient").Device(tensorflow::DEVICE_CPU), MixtureGradientOp);

}  // namespace latent
