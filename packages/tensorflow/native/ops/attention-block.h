// What LatentAttentionBlock and its gradient are given: a decoder layer's first half in one operation, y = x +
// output(attention(q, k, v)) of n = norm(x) weight, with rotary positions on q and k (Vaswani et al. 2017; Su et al.
// 2021). Keys and values are of all rows; where `selected`, the rest is of the rows that are read alone.
#pragma once

#include "attention-ops.h"
#include "block.h"

namespace latent {

// Inputs of both: x [B T, D], norm [D], weights of query, key, value and output, rotary tables [B, T, d], ranges
// [B, T, 3, 2], the rows that are read [R] where not all are, adapters.
#define LATENT_ATTENTION_BLOCK_INPUTS      \
  Input("x: float")                        \
      .Input("norm: float")                \
      .Input("query: float")               \
      .Input("key: float")                 \
      .Input("value: float")               \
      .Input("output: float")              \
      .Input("cosine: float")              \
      .Input("sine: float")                \
      .Input("ranges: int32")              \
      .Input("read: read_count * int32")   \
      .Attr("read_count: int >= 0 = 0")    \
      .LATENT_ADAPTER_INPUTS

// Turned keys and values are what a cache would hold; `kept` is the rest of what the backward pass reads.
REGISTER_OP("LatentAttentionBlock")
    .LATENT_ATTENTION_BLOCK_INPUTS.Output("y: float")
    .Output("keys: float")
    .Output("values: float")
    .Output("kept: float")
    .Attr("epsilon: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentAttentionBlockGradient")
    .LATENT_ATTENTION_BLOCK_INPUTS.Input("keys: float")
    .Input("values: float")
    .Input("kept: float")
    .Input("dy: float")
    .Output("gradients: gradient_count * float")
    .Attr("gradient_count: int >= 1")
    .Attr("weights: bool")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

struct AttentionBlock {
  // Where the parts of `kept` stand: 1 / rms [B T], turned queries and attention's result [B T, H d] or [R, H d], its
  // log-sum-exp [B, H, T] or [1, H, R], and, one after the other, what the adapters lowered and merged weights.
  struct Kept {
    int64_t inverse, queries, mixed, log_sum, low, count;
  };

  int64_t rows, width, query_width, key_width;
  bool adapted;
  ReadRows read;
  std::vector<int32_t> read_ranges;
  const float *x, *norm, *cosine, *sine;
  const int32_t* ranges;
  LinearMap query, key, value, output;
  AttentionShape shape;

  double query_flops_per_row() const { return 2.0 * width * query_width; }
  double flops_per_row() const { return 4.0 * width * (key_width + (read.all ? query_width : 0)); }
  int64_t low_count() const { return read.count * (query.rank + output.rank) + rows * (key.rank + value.rank); }
  Kept kept() const {
    Parts parts;
    Kept kept;
    kept.inverse = parts.add(rows);
    kept.queries = parts.add(read.count * query_width);
    kept.mixed = parts.add(read.count * query_width);
    kept.log_sum = parts.add(shape.batch * shape.heads * shape.queries);
    kept.low = parts.add(low_count() + merged_count(read.count, {&query, &key, &value, &output}));
    kept.count = parts.count();
    return kept;
  }
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

inline bool read_attention_block(OpKernelContext* context, AttentionBlock* block) {
  const Tensor &x = context->input(0), &norm = context->input(1), &cosine = context->input(6);
  const Tensor& ranges = context->input(8);
  tensorflow::OpInputList read;
  bool fits = x.dims() == 2 && norm.NumElements() == x.dim_size(1) && context->input(2).dims() == 2 &&
              context->input(3).dims() == 2 && cosine.dims() >= 2 && ranges.dims() == 4 && x.dim_size(1) > 0 &&
              context->input_list("read", &read).ok() && read.size() <= 1;
  if (fits) {
    const int64_t rows = x.dim_size(0), width = x.dim_size(1), head = cosine.dim_size(cosine.dims() - 1);
    const int64_t batch = ranges.dim_size(0), length = ranges.dim_size(1);
    block->rows = rows;
    block->width = width;
    block->query_width = context->input(2).dim_size(0);
    block->key_width = context->input(3).dim_size(0);
    block->x = floats(x);
    block->norm = floats(norm);
    block->cosine = floats(cosine);
    block->sine = floats(context->input(7));
    block->ranges = ints(ranges);
    fits = head > 0 && block->query_width % head == 0 && block->key_width % head == 0 && block->key_width > 0 &&
           block->query_width % block->key_width == 0 && batch * length == rows && cosine.NumElements() == rows * head &&
           context->input(7).NumElements() == rows * head &&
           ranges.shape() == TensorShape({batch, length, kRangesPerQuery, 2}) &&
           read_weight(context->input(2), block->query_width, width, &block->query) &&
           read_weight(context->input(3), block->key_width, width, &block->key) &&
           read_weight(context->input(4), block->key_width, width, &block->value) &&
           read_weight(context->input(5), width, block->query_width, &block->output) &&
           read_adapters(context, {&block->query, &block->key, &block->value, &block->output}, &block->adapted);
    for (int64_t i = 0; fits && i < ranges.NumElements(); i++) fits = block->ranges[i] >= 0 && block->ranges[i] <= length;
    if (fits) block->shape = {batch, length, length, block->query_width / head, block->key_width / head, head};
    block->read.count = rows;
    if (read.size() > 0) fits = fits && block->read.choose(read[0], rows);
    if (read.size() > 0 && fits) block->choose_queries();
  }
  if (!fits) context->SetStatus(tensorflow::errors::InvalidArgument("expected x [B T, D] and what fits it"));
  return fits;
}

}  // namespace latent
