// LatentAttention and its gradient.
#pragma once

#include <vector>

#include "op.h"

namespace latent {

REGISTER_OP("LatentAttention")
    .Input("query: float")
    .Input("key: float")
    .Input("value: float")
    .Input("ranges: int32")
    .Output("output: float")
    .Output("log_sum: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentAttentionGradient")
    .Input("query: float")
    .Input("key: float")
    .Input("value: float")
    .Input("ranges: int32")
    .Input("output: float")
    .Input("log_sum: float")
    .Input("output_gradient: float")
    .Output("query_gradient: float")
    .Output("key_gradient: float")
    .Output("value_gradient: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

// Reads the shape off the inputs and checks that they fit each other; sets an error otherwise.
inline bool read_attention(OpKernelContext* context, AttentionShape* shape, AttentionInputs* inputs) {
  const Tensor &query = context->input(0), &key = context->input(1), &value = context->input(2);
  const Tensor& ranges = context->input(3);
  const bool ranks = query.dims() == 4 && key.dims() == 4 && ranges.dims() == 4 && value.shape() == key.shape();
  if (!ranks) {
    context->SetStatus(tensorflow::errors::InvalidArgument("expected inputs of four axes"));
    return false;
  }
  *shape = {query.dim_size(0), query.dim_size(1), key.dim_size(1), query.dim_size(2), key.dim_size(2),
            query.dim_size(3)};
  const TensorShape expected({shape->batch, shape->queries, kRangesPerQuery, 2});
  const bool fits = key.dim_size(0) == shape->batch && key.dim_size(3) == shape->width && shape->groups > 0 &&
                    shape->heads % shape->groups == 0 && ranges.shape() == expected;
  const int32_t* limits = ints(ranges);
  bool inside = true;
  for (int64_t i = 0; i < ranges.NumElements(); i++) inside &= limits[i] >= 0 && limits[i] <= shape->keys;
  if (!fits || !inside) {
    context->SetStatus(tensorflow::errors::InvalidArgument("expected keys and ranges that fit the queries"));
    return false;
  }
  *inputs = {floats(query), floats(key), floats(value), limits};
  return true;
}

// Pairs of a query and a key that it sees, averaged over queries.
inline double visible_per_query(const AttentionShape& shape, const int32_t* ranges) {
  const int64_t queries = shape.batch * shape.queries;
  double pairs = 0;
  for (int64_t i = 0; i < queries * kRangesPerQuery; i++) pairs += ranges[2 * i + 1] - ranges[2 * i];
  return queries == 0 ? 0 : pairs / static_cast<double>(queries);
}

class AttentionOp : public OpKernel {
 public:
  explicit AttentionOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    AttentionShape shape;
    AttentionInputs inputs;
    if (!read_attention(context, &shape, &inputs)) return;
    float* result = output(context, 0, context->input(0).shape());
    float* log_sum = output(context, 1, TensorShape({shape.batch, shape.heads, shape.queries}));
    if (result == nullptr || log_sum == nullptr) return;
    const int64_t units = loops().attention_units(shape);
    const double rows = static_cast<double>(shape.batch * shape.queries * shape.heads) / (units > 0 ? units : 1);
    const double cycles = rows * (20 + visible_per_query(shape, inputs.ranges)) * shape.width / 4;
    share_out(context, units, cycles, [&](int64_t begin, int64_t end) {
      const Scratch scratch(loops().attention_scratch(shape));
      loops().attention(shape, inputs, result, log_sum, begin, end, scratch.data());
    });
  }
};

class AttentionGradientOp : public OpKernel {
 public:
  explicit AttentionGradientOp(OpKernelConstruction* construction) : OpKernel(construction) {}

  void Compute(OpKernelContext* context) override {
    AttentionShape shape;
    AttentionInputs inputs;
    if (!read_attention(context, &shape, &inputs)) return;
    const Tensor &result = context->input(4), &log_sum = context->input(5), &dy = context->input(6);
    const TensorShape sums({shape.batch, shape.heads, shape.queries});
    LATENT_REQUIRE(context,
                   result.shape() == context->input(0).shape() && dy.shape() == result.shape() &&
                       log_sum.shape() == sums,
                   "expected what the forward pass gave");
    float* query = output(context, 0, context->input(0).shape());
    float* key = output(context, 1, context->input(1).shape());
    float* value = output(context, 2, context->input(2).shape());
    const int64_t chunks = loops().attention_gradient_chunks(shape), count = context->input(1).NumElements();
    Tensor memory;
    if (!context->status().ok()) return;
    const auto status = context->allocate_temp(tensorflow::DT_FLOAT, TensorShape({2, chunks, count}), &memory);
    OP_REQUIRES_OK(context, status);
    float* key_chunks = memory.flat<float>().data();
    float* value_chunks = key_chunks + chunks * count;
    std::vector<int32_t> reached(chunks * shape.batch * 2);  // none where nobody looks
    const AttentionGradients gradients = {floats(result), floats(log_sum), floats(dy),    query,
                                          key_chunks,     value_chunks,    reached.data()};
    const int64_t units = shape.batch * shape.groups * chunks;
    const double rows = static_cast<double>(shape.batch * shape.queries * shape.heads) / (units > 0 ? units : 1);
    const double cycles = rows * (20 + visible_per_query(shape, inputs.ranges)) * shape.width;
    share_out(context, units, cycles, [&](int64_t begin, int64_t end) {
      const Scratch scratch(loops().attention_gradient_scratch(shape));
      loops().attention_gradient(shape, inputs, gradients, begin, end, scratch.data());
    });
    share_out(context, shape.batch * shape.keys, 2.0 * shape.groups * shape.width, [&](int64_t begin, int64_t end) {
      loops().sum_key_chunks(shape, reached.data(), key_chunks, key, begin, end);
      loops().sum_key_chunks(shape, reached.data(), value_chunks, value, begin, end);
    });
  }
};

REGISTER_KERNEL_BUILDER(Name("LatentAttention").Device(tensorflow::DEVICE_CPU), AttentionOp);
REGISTER_KERNEL_BUILDER(Name("LatentAttentionGradient").Device(tensorflow::DEVICE_CPU), AttentionGradientOp);

}  // namespace latent
