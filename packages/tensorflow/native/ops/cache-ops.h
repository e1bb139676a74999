// LatentCacheAppend: the newest keys and values of a decoder after those before them, in the same memory if it has room.
// LatentCachePrompts: a first cache of prompts that stand one after the other.
#pragma once

#include <vector>

#include "op.h"

namespace latent {

// cached_key and cached_value are [B, C, G, d] with rows [0, used) filled, key and value [B, T, G, d], extent holds used
// and the capacity to have afterwards. The cached tensors are used up: they may be what comes out.
REGISTER_OP("LatentCacheAppend")
    .Input("cached_key: float")
    .Input("cached_value: float")
    .Input("key: float")
    .Input("value: float")
    .Input("extent: int32")
    .Output("all_keys: float")
    .Output("all_values: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

// key and value are [N, G, d], lengths [B] sum to N, extent holds the longest and the capacity. Rows in use that a prompt
// has no token for are zeros; those beyond are left as they are.
REGISTER_OP("LatentCachePrompts")
    .Input("key: float")
    .Input("value: float")
    .Input("lengths: int32")
    .Input("extent: int32")
    .Output("all_keys: float")
    .Output("all_values: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

class CacheAppendOp : public OpKernel {
 public:
  explicit CacheAppendOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& extent = context->input(4);
    LATENT_REQUIRE(context, extent.NumElements() == 2, "expected two numbers: rows in use and capacity");
    const int64_t used = ints(extent)[0], capacity = ints(extent)[1];
    for (int i = 0; i < 2; i++) {
      const Tensor &cached = context->input(i), &fresh = context->input(i + 2);
      LATENT_REQUIRE(context, cached.dims() == 4 && fresh.dims() == 4, "expected tensors of four axes");
      LATENT_REQUIRE(context,
                     cached.dim_size(0) == fresh.dim_size(0) && cached.dim_size(2) == fresh.dim_size(2) &&
                         cached.dim_size(3) == fresh.dim_size(3),
                     "expected new rows like those in the cache");
      LATENT_REQUIRE(context, used >= 0 && used <= cached.dim_size(1) && used + fresh.dim_size(1) <= capacity,
                     "expected a capacity for all rows");
    }
    const bool one_tensor = context->input(0).SharesBufferWith(context->input(1));
    for (int i = 0; i < 2; i++) append(context, i, used, capacity, one_tensor);
  }

 private:
  // A handle of eager execution holds its memory twice, the second time so that no operation takes it over unasked
  // (LocalTensorHandleData::forwarding_protection_tensor_).
  static constexpr int kHoldsOfOneHandle = 2;

  static void append(OpKernelContext* context, int index, int64_t used, int64_t capacity, bool one_tensor) {
    const Tensor &cached = context->input(index), &fresh = context->input(index + 2);
    const int64_t batch = fresh.dim_size(0), count = fresh.dim_size(1), width = fresh.dim_size(2) * fresh.dim_size(3);
    // Writing is seen by whoever else holds this memory: then a copy is made.
    const bool in_place = cached.dim_size(1) == capacity && !one_tensor && cached.RefCount() == kHoldsOfOneHandle;
    float* to;
    if (in_place) {
      to = const_cast<float*>(floats(cached));
      context->set_output(index, cached);
    } else {
      to = output(context, index, TensorShape({batch, capacity, fresh.dim_size(2), fresh.dim_size(3)}));
      if (to == nullptr) return;
    }
    const float *old = floats(cached), *from = floats(fresh);
    const int64_t old_stride = cached.dim_size(1) * width;
    const double cycles = ((in_place ? 0 : used) + count) * width / 4.0;
    share_out(context, batch, cycles, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        float* start = to + row * capacity * width;
        if (!in_place) std::copy(old + row * old_stride, old + row * old_stride + used * width, start);
        std::copy(from + row * count * width, from + (row + 1) * count * width, start + used * width);
      }
    });
  }
};

class CachePromptsOp : public OpKernel {
 public:
  explicit CachePromptsOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    const Tensor &key = context->input(0), &lengths = context->input(2), &extent = context->input(3);
    LATENT_REQUIRE(context, extent.NumElements() == 2, "expected two numbers: rows in use and capacity");
    LATENT_REQUIRE(context, key.dims() == 3 && context->input(1).shape() == key.shape(),
                   "expected keys and values of three axes");
    const int64_t used = ints(extent)[0], capacity = ints(extent)[1], batch = lengths.NumElements();
    const int64_t width = key.dim_size(1) * key.dim_size(2);
    std::vector<int64_t> starts(batch + 1, 0);
    bool fits = used >= 0 && used <= capacity;
    for (int64_t row = 0; row < batch; row++) {
      const int64_t count = ints(lengths)[row];
      fits = fits && count >= 0 && count <= used;
      starts[row + 1] = starts[row] + count;
    }
    LATENT_REQUIRE(context, fits && starts[batch] == key.dim_size(0), "expected lengths that sum to the tokens");
    float* to[2];
    for (int i = 0; i < 2; i++) to[i] = output(context, i, TensorShape({batch, capacity, key.dim_size(1), key.dim_size(2)}));
    if (!context->status().ok()) return;
    const float* from[] = {floats(key), floats(context->input(1))};
    share_out(context, 2 * batch, used * width / 4.0, [&](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t row = unit / 2, count = (starts[row + 1] - starts[row]) * width;
        const float* first = from[unit % 2] + starts[row] * width;
        float* start = to[unit % 2] + row * capacity * width;
        std::fill(std::copy(first, first + count, start), start + used * width, 0.0f);
      }
    });
  }
};

REGISTER_KERNEL_BUILDER(Name("LatentCachePrompts").Device(tensorflow::DEVICE_CPU), CachePromptsOp);
REGISTER_KERNEL_BUILDER(Name("LatentCacheAppend").Device(tensorflow::DEVICE_CPU), CacheAppendOp);

}  // namespace latent
