// LatentAttentionBlock and its gradient: a decoder layer's first half in one operation, y = x + output(attention(q, k,
// v)) of n = norm(x) weight, with rotary positions on q and k (Vaswani et al. 2017; Su et al. 2021).
#pragma once

#include "attention-ops.h"
#include "block.h"

namespace latent {

// Inputs of both: x [B T, D], norm [D], weight, lower and raise of query, key, value and output, scale, draws, kept,
// rotary tables [B, T, d], ranges [B, T, 3, 2].
#define LATENT_ATTENTION_BLOCK_INPUTS \
  Input("x: float")                   \
      .Input("norm: float")           \
      .Input("query: float")          \
      .Input("query_lower: float")    \
      .Input("query_raise: float")    \
      .Input("key: float")            \
      .Input("key_lower: float")      \
      .Input("key_raise: float")      \
      .Input("value: float")          \
      .Input("value_lower: float")    \
      .Input("value_raise: float")    \
      .Input("output: float")         \
      .Input("output_lower: float")   \
      .Input("output_raise: float")   \
      .Input("scale: float")          \
      .Input("draws: int32")          \
      .Input("kept: float")           \
      .Input("cosine: float")         \
      .Input("sine: float")           \
      .Input("ranges: int32")

// Kept for the backward pass: 1 / rms [N], the turned queries and keys, values, attention's result, its log-sum-exp
// [B, H, T], and what the adapters lowered.
REGISTER_OP("LatentAttentionBlock")
    .LATENT_ATTENTION_BLOCK_INPUTS.Output("y: float")
    .Output("inverse: float")
    .Output("queries: float")
    .Output("keys: float")
    .Output("values: float")
    .Output("mixed: float")
    .Output("log_sum: float")
    .Output("lowered: float")
    .Attr("epsilon: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

// Gradients of all inputs up to `output_raise`; of weights and norm only where asked for, else they are empty.
REGISTER_OP("LatentAttentionBlockGradient")
    .LATENT_ATTENTION_BLOCK_INPUTS.Input("inverse: float")
    .Input("queries: float")
    .Input("keys: float")
    .Input("values: float")
    .Input("mixed: float")
    .Input("log_sum: float")
    .Input("lowered: float")
    .Input("dy: float")
    .Output("dx: float")
    .Output("d_norm: float")
    .Output("d_query: float")
    .Output("d_query_lower: float")
    .Output("d_query_raise: float")
    .Output("d_key: float")
    .Output("d_key_lower: float")
    .Output("d_key_raise: float")
    .Output("d_value: float")
    .Output("d_value_lower: float")
    .Output("d_value_raise: float")
    .Output("d_output: float")
    .Output("d_output_lower: float")
    .Output("d_output_raise: float")
    .Attr("weights: bool")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

struct AttentionBlock {
  int64_t rows, width, query_width, key_width;
  const float *x, *norm, *cosine, *sine;
  const int32_t* ranges;
  LinearMap query, key, value, output;
  AttentionShape shape;

  double flops_per_row() const { return 4.0 * width * (query_width + key_width); }
  int64_t ranks() const { return query.rank + key.rank + value.rank + output.rank; }
  bool drops() const { return query.drops() || key.drops() || value.drops() || output.drops(); }
  double pairs_per_query() const { return visible_per_query(shape, ranges); }
};

inline bool read_attention_block(OpKernelContext* context, AttentionBlock* block) {
  const Tensor &x = context->input(0), &norm = context->input(1), &cosine = context->input(17);
  const Tensor& ranges = context->input(19);
  bool fits = x.dims() == 2 && norm.NumElements() == x.dim_size(1) && context->input(2).dims() == 2 &&
              context->input(5).dims() == 2 && cosine.dims() >= 2 && ranges.dims() == 4 && x.dim_size(1) > 0;
  if (fits) {
    const int64_t rows = x.dim_size(0), width = x.dim_size(1), head = cosine.dim_size(cosine.dims() - 1);
    const int64_t batch = ranges.dim_size(0), length = ranges.dim_size(1);
    block->rows = rows;
    block->width = width;
    block->query_width = context->input(2).dim_size(0);
    block->key_width = context->input(5).dim_size(0);
    block->x = floats(x);
    block->norm = floats(norm);
    block->cosine = floats(cosine);
    block->sine = floats(context->input(18));
    block->ranges = ints(ranges);
    fits = head > 0 && block->query_width % head == 0 && block->key_width % head == 0 && block->key_width > 0 &&
           block->query_width % block->key_width == 0 && batch * length == rows && cosine.NumElements() == rows * head &&
           context->input(18).NumElements() == rows * head &&
           ranges.shape() == TensorShape({batch, length, kRangesPerQuery, 2}) &&
           read_map(context, 2, block->query_width, width, &block->query) &&
           read_map(context, 5, block->key_width, width, &block->key) &&
           read_map(context, 8, block->key_width, width, &block->value) &&
           read_map(context, 11, width, block->query_width, &block->output) &&
           read_adapters(context, 14, {&block->query, &block->key, &block->value, &block->output});
    for (int64_t i = 0; fits && i < ranges.NumElements(); i++) fits = block->ranges[i] >= 0 && block->ranges[i] <= length;
    if (fits) block->shape = {batch, length, length, block->query_width / head, block->key_width / head, head};
  }
  if (!fits) context->SetStatus(tensorflow::errors::InvalidArgument("expected x [B T, D] and what fits it"));
  return fits;
}

class AttentionBlockOp : public OpKernel {
 public:
  explicit AttentionBlockOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    AttentionBlock block;
    if (!read_attention_block(context, &block)) return;
    const int64_t rows = block.rows, width = block.width, wide = block.query_width, narrow = block.key_width;
    const AttentionShape& shape = block.shape;
    float* y = output(context, 0, context->input(0).shape());
    float* inverse = output(context, 1, TensorShape({rows}));
    float* queries = output(context, 2, TensorShape({rows, wide}));
    float* keys = output(context, 3, TensorShape({rows, narrow}));
    float* values = output(context, 4, TensorShape({rows, narrow}));
    float* mixed = output(context, 5, TensorShape({rows, wide}));
    float* log_sum = output(context, 6, TensorShape({shape.batch, shape.heads, shape.queries}));
    float* low = output(context, 7, TensorShape({rows, block.ranks()}));
    Tensor memory;
    const int64_t larger = std::max(width, wide);
    float* normed = working(context, rows * (width + wide + narrow + (block.drops() ? larger : 0)), &memory);
    if (!context->status().ok()) return;  // an empty output is no error, and null as well
    float* straight_queries = normed + rows * width;
    float* straight_keys = straight_queries + rows * wide;
    float* left = straight_keys + rows * narrow;
    float* low_key = low + rows * block.query.rank;
    float* low_value = low_key + rows * block.key.rank;
    float* low_output = low_value + rows * block.value.rank;
    share_rows(context, rows, block.flops_per_row(), [&](int64_t begin, int64_t end) {
      loops().rms_norm(block.x, block.norm, epsilon_, width, normed, inverse, begin, end);
      const auto seen = [&](const LinearMap& map) { return seen_by(map, normed, rows, begin, end, left); };
      apply_map(block.query, normed, seen(block.query), begin, end, low, straight_queries, false);
      apply_map(block.key, normed, seen(block.key), begin, end, low_key, straight_keys, false);
      apply_map(block.value, normed, seen(block.value), begin, end, low_value, values, false);
      loops().rotary(straight_queries, block.cosine, block.sine, 1, shape.heads, shape.width, queries, begin, end);
      loops().rotary(straight_keys, block.cosine, block.sine, 1, shape.groups, shape.width, keys, begin, end);
    });
    const AttentionInputs inputs = {queries, keys, values, block.ranges};
    const int64_t units = loops().attention_units(shape);
    const double per_unit = static_cast<double>(rows * shape.heads) / (units > 0 ? units : 1);
    share_out(context, units, per_unit * (20 + block.pairs_per_query()) * shape.width / 4, [&](int64_t begin, int64_t end) {
      const Scratch scratch(loops().attention_scratch(shape));
      loops().attention(shape, inputs, mixed, log_sum, begin, end, scratch.data());
    });
    share_rows(context, rows, 2.0 * width * wide, [&](int64_t begin, int64_t end) {
      std::copy(block.x + begin * width, block.x + end * width, y + begin * width);
      apply_map(block.output, mixed, seen_by(block.output, mixed, rows, begin, end, left), begin, end, low_output, y, true);
    });
  }

 private:
  float epsilon_;
};

class AttentionBlockGradientOp : public OpKernel {
 public:
  explicit AttentionBlockGradientOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("weights", &weights_));
  }

  void Compute(OpKernelContext* context) override {
    AttentionBlock block;
    if (!read_attention_block(context, &block)) return;
    const int64_t rows = block.rows, width = block.width, wide = block.query_width, narrow = block.key_width;
    const AttentionShape& shape = block.shape;
    const auto given = [&](int i) { return floats(context->input(20 + i)); };
    const float *inverse = given(0), *queries = given(1), *keys = given(2), *values = given(3), *mixed = given(4);
    const float *log_sum = given(5), *low = given(6), *dy = given(7);
    LATENT_REQUIRE(context,
                   context->input(27).shape() == context->input(0).shape() &&
                       context->input(21).NumElements() == rows * wide &&
                       context->input(26).NumElements() == rows * block.ranks(),
                   "expected what the forward pass saw and gave");
    float* gradients[14];
    for (int i = 0; i < 14; i++)
      if (!wanted_output(context, i, i, i == 0 || (i > 1 && i % 3 != 2) || weights_, &gradients[i])) return;
    const int64_t chunks = loops().attention_gradient_chunks(shape), larger = std::max(width, wide);
    const int64_t parts = norm_parts(rows);
    Tensor memory;
    const int64_t count = rows * (2 * width + 3 * wide + (3 + 2 * chunks) * narrow + block.ranks()) + parts * width +
                          (block.drops() ? rows * (3 * width + wide + larger) : 0);
    float* normed = working(context, count, &memory);
    if (!context->status().ok()) return;
    float* d_normed = normed + rows * width;
    float* d_mixed = d_normed + rows * width;
    float* d_queries = d_mixed + rows * wide;        // turned, as attention sees them
    float* d_straight = d_queries + rows * wide;     // and before
    float* d_straight_keys = d_straight + rows * wide;
    float* d_keys = d_straight_keys + rows * narrow;
    float* d_values = d_keys + rows * narrow;
    float* key_chunks = d_values + rows * narrow;
    float* value_chunks = key_chunks + chunks * rows * narrow;
    float* d_low = value_chunks + chunks * rows * narrow;
    float* d_low_key = d_low + rows * block.query.rank;
    float* d_low_value = d_low_key + rows * block.key.rank;
    float* d_low_output = d_low_value + rows * block.value.rank;
    float* sums = d_low + rows * block.ranks();
    const bool drops = block.drops();
    float* seen_query = drops ? sums + parts * width : normed;
    float* seen_key = drops ? seen_query + rows * width : normed;
    float* seen_value = drops ? seen_key + rows * width : normed;
    float* seen_output = drops ? seen_value + rows * width : nullptr;
    float* left = drops ? seen_output + rows * wide : nullptr;
    share_rows(context, rows, 2.0 * width * wide, [&](int64_t begin, int64_t end) {
      input_gradient(block.output, dy, rows, begin, end, d_low_output, d_mixed, false, left);
      if (drops) seen_by(block.output, mixed, rows, begin, end, seen_output);
    });
    const AttentionInputs inputs = {queries, keys, values, block.ranges};
    const AttentionGradients slopes = {mixed, log_sum, d_mixed, d_queries, key_chunks, value_chunks};
    const int64_t units = shape.batch * shape.groups * chunks;
    const double per_unit = static_cast<double>(rows * shape.heads) / (units > 0 ? units : 1);
    share_out(context, units, per_unit * (20 + block.pairs_per_query()) * shape.width, [&](int64_t begin, int64_t end) {
      const Scratch scratch(loops().attention_gradient_scratch(shape));
      loops().attention_gradient(shape, inputs, slopes, begin, end, scratch.data());
    });
    share_rows(context, rows, block.flops_per_row(), [&](int64_t begin, int64_t end) {
      loops().sum_parts(key_chunks, chunks, rows * narrow, d_keys, begin * narrow, end * narrow);
      loops().sum_parts(value_chunks, chunks, rows * narrow, d_values, begin * narrow, end * narrow);
      loops().rotary(d_queries, block.cosine, block.sine, -1, shape.heads, shape.width, d_straight, begin, end);
      loops().rotary(d_keys, block.cosine, block.sine, -1, shape.groups, shape.width, d_straight_keys, begin, end);
      normed_again(block.x, block.norm, inverse, width, begin, end, normed);
      if (drops) {
        seen_by(block.query, normed, rows, begin, end, seen_query);
        seen_by(block.key, normed, rows, begin, end, seen_key);
        seen_by(block.value, normed, rows, begin, end, seen_value);
      }
      input_gradient(block.query, d_straight, rows, begin, end, d_low, d_normed, false, left);
      input_gradient(block.key, d_straight_keys, rows, begin, end, d_low_key, d_normed, true, left);
      input_gradient(block.value, d_values, rows, begin, end, d_low_value, d_normed, true, left);
    });
    norm_gradient(context, block.x, block.norm, inverse, d_normed, dy, rows, width, sums, gradients[0], gradients[1]);
    const float* low_key = low + rows * block.query.rank;
    const float* low_value = low_key + rows * block.key.rank;
    const float* low_output = low_value + rows * block.value.rank;
    WeightGradients products(rows);
    products.add(d_straight, wide, normed, width, gradients[2]);
    products.add(d_straight_keys, narrow, normed, width, gradients[5]);
    products.add(d_values, narrow, normed, width, gradients[8]);
    products.add(dy, width, mixed, wide, gradients[11]);
    adapter_gradients(&products, block.query, d_straight, seen_query, low, d_low, gradients + 3);
    adapter_gradients(&products, block.key, d_straight_keys, seen_key, low_key, d_low_key, gradients + 6);
    adapter_gradients(&products, block.value, d_values, seen_value, low_value, d_low_value, gradients + 9);
    adapter_gradients(&products, block.output, dy, drops ? seen_output : mixed, low_output, d_low_output, gradients + 12);
    products.run(context);
  }

 private:
  bool weights_;
};

REGISTER_KERNEL_BUILDER(Name("LatentAttentionBlock").Device(tensorflow::DEVICE_CPU), AttentionBlockOp);
REGISTER_KERNEL_BUILDER(Name("LatentAttentionBlockGradient").Device(tensorflow::DEVICE_CPU), AttentionBlockGradientOp);

}  // namespace latent
