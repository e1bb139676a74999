// What LatentAttentionBlock and its gradient are given: a decoder layer's first half in one operation, y = x +
// output(attention(q, k, v)) of n = norm(x) weight, with rotary positions on q and k (Vaswani et al. 2017; Su et al.
// 2021). Keys and values are of all rows; where `selected`, the rest is of the rows that are read alone.
#pragma once

#include "attention-ops.h"
#include "block.h"

namespace latent {

// Inputs of both: x [B T, D], norm [D], weight, lower and raise of query, key, value and output, scale, draws, kept,
// rotary tables [B, T, d], ranges [B, T, 3, 2], the rows that are read [R].
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
      .Input("ranges: int32")         \
      .Input("read: int32")           \
      .Attr("selected: bool")

// Kept for the backward pass: 1 / rms [B T], the turned queries and keys, values, attention's result, its log-sum-exp
// [B, H, T] or [1, H, R], and, one after the other, what the adapters lowered and merged weights.
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
  ReadRows read;
  std::vector<int32_t> read_ranges;
  const float *x, *norm, *cosine, *sine;
  const int32_t* ranges;
  LinearMap query, key, value, output;
  AttentionShape shape;

  double query_flops_per_row() const { return 2.0 * width * query_width; }
  double flops_per_row() const { return 4.0 * width * (key_width + (read.all ? query_width : 0)); }
  int64_t low_count() const { return read.count * (query.rank + output.rank) + rows * (key.rank + value.rank); }
  int64_t kept_count() const { return low_count() + merged_count(read.count, {&query, &key, &value, &output}); }
  int64_t largest_rank() const { return std::max({query.rank, key.rank, value.rank, output.rank}); }
  bool drops() const { return query.drops() || key.drops() || value.drops() || output.drops(); }
  double pairs_per_query() const { return visible_per_query(shape, ranges); }

  // Rows that are read stand in one batch, as queries over all of its keys.
  void choose_queries() {
    constexpr int64_t limits = 2 * kRangesPerQuery;
    read_ranges.resize(read.count * limits);
    for (int64_t i = 0; i < read.count; i++) {
      const int64_t row = read.rows[i], first_key = row / shape.queries * shape.queries;
      for (int64_t j = 0; j < limits; j++)
        read_ranges[i * limits + j] = static_cast<int32_t>(ranges[row * limits + j] + first_key);
    }
    ranges = read_ranges.data();
    shape.batch = 1;
    shape.queries = read.count;
    shape.keys = rows;
  }

  // Turns the queries [begin, end), or what comes back to them, by the angles of their rows.
  void turn_queries(const float* from, float turn, float* to, int64_t begin, int64_t end) const {
    if (read.all) return loops().rotary(from, cosine, sine, turn, shape.heads, shape.width, to, begin, end);
    for (int64_t i = begin; i < end; i++) {
      const int64_t at = i * query_width, angles = read.row(i) * shape.width;
      loops().rotary(from + at, cosine + angles, sine + angles, turn, shape.heads, shape.width, to + at, 0, 1);
    }
  }
};

inline bool read_attention_block(OpKernelContext* context, bool selected, AttentionBlock* block) {
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
    block->read.count = rows;
    if (selected) fits = fits && block->read.choose(context->input(20), rows);
    if (selected && fits) block->choose_queries();
  }
  if (!fits) context->SetStatus(tensorflow::errors::InvalidArgument("expected x [B T, D] and what fits it"));
  return fits;
}

}  // namespace latent
