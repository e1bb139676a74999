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
  int64_t largest_rank() const { return std::max({query.rank, key.rank, value.rank, output.rank}); }
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
    const bool drops = block.drops();
    PackedMaps maps(PackedMaps::For::kOutput, rows, {&block.query, &block.key, &block.value, &block.output});
    const Stretches stretches(context, rows);
    Parts own;  // of a thread's memory
    const int64_t length = stretches.length, larger = std::max(width, wide);
    const int64_t at_normed = own.add(length * width), at_straight = own.add(length * wide);
    const int64_t at_factor = own.add(length * larger), at_low = own.add(length * block.largest_rank());
    const int64_t at_left = own.add(drops ? length * larger : 0), at_seen = own.add(drops ? length * larger : 0);
    Tensor memory;
    float* packed = working(context, maps.count() + stretches.slots * own.count(), &memory);
    if (!context->status().ok()) return;  // an empty output is no error, and null as well
    float* scratches = packed + maps.count();
    float* low_key = low + rows * block.query.rank;
    float* low_value = low_key + rows * block.key.rank;
    float* low_output = low_value + rows * block.value.rank;
    maps.pack(context, packed);
    const auto apply = [&](int which, const LinearMap& map, const float* x, int64_t begin, int64_t end, float* scratch,
                           float* lowered, float* to, bool add) {
      const float* factor = scratch + at_factor;
      const float* seen = seen_factor(map, x, factor, rows, begin, end, scratch + at_left, scratch + at_seen);
      apply_map(map, maps[which], factor, seen, end - begin, lowered + begin * map.rank, scratch + at_low, to, add);
    };
    stretches.run(context, block.flops_per_row(), scratches, own.count(), [&](int64_t begin, int64_t end, float* scratch) {
      const int64_t count = end - begin;
      float *normed = scratch + at_normed, *straight = scratch + at_straight;
      loops().rms_norm(block.x + begin * width, block.norm, epsilon_, width, normed, inverse + begin, 0, count);
      loops().pack_factor(normed, width, count, width, scratch + at_factor);
      const auto turn = [&](int64_t heads, float* to) {
        const int64_t head = shape.width;
        loops().rotary(straight, block.cosine + begin * head, block.sine + begin * head, 1, heads, head,
                       to + begin * heads * head, 0, count);
      };
      apply(0, block.query, normed, begin, end, scratch, low, straight, false);
      turn(shape.heads, queries);
      apply(1, block.key, normed, begin, end, scratch, low_key, straight, false);
      turn(shape.groups, keys);
      apply(2, block.value, normed, begin, end, scratch, low_value, values + begin * narrow, false);
    });
    const AttentionInputs inputs = {queries, keys, values, block.ranges};
    const int64_t units = loops().attention_units(shape);
    const double per_unit = static_cast<double>(rows * shape.heads) / (units > 0 ? units : 1);
    share_out(context, units, per_unit * (20 + block.pairs_per_query()) * shape.width / 4, [&](int64_t begin, int64_t end) {
      const Scratch scratch(loops().attention_scratch(shape));
      loops().attention(shape, inputs, mixed, log_sum, begin, end, scratch.data());
    });
    stretches.run(context, 2.0 * width * wide, scratches, own.count(), [&](int64_t begin, int64_t end, float* scratch) {
      const float* from = mixed + begin * wide;
      loops().pack_factor(from, wide, end - begin, wide, scratch + at_factor);
      std::copy(block.x + begin * width, block.x + end * width, y + begin * width);
      apply(3, block.output, from, begin, end, scratch, low_output, y + begin * width, true);
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
    const bool drops = block.drops();
    const int64_t chunks = loops().attention_gradient_chunks(shape), larger = std::max(width, wide);
    const int64_t norm_sums = norm_parts(rows);
    PackedMaps maps(PackedMaps::For::kInputGradient, rows, {&block.query, &block.key, &block.value, &block.output});
    const Stretches stretches(context, rows);
    Parts own;  // of a thread's memory
    const int64_t length = stretches.length;
    const int64_t at_factor = own.add(length * larger), at_low = own.add(length * block.largest_rank());
    const int64_t at_left = own.add(drops ? length * larger : 0);
    Parts parts;
    const int64_t at_normed = parts.add(rows * width), at_d_normed = parts.add(rows * width);
    const int64_t at_d_mixed = parts.add(rows * wide);
    const int64_t at_d_queries = parts.add(rows * wide);  // turned, as attention sees them
    const int64_t at_d_straight = parts.add(rows * wide);  // and before
    const int64_t at_d_straight_keys = parts.add(rows * narrow), at_d_keys = parts.add(rows * narrow);
    const int64_t at_d_values = parts.add(rows * narrow);
    const int64_t at_key_chunks = parts.add(chunks * rows * narrow), at_value_chunks = parts.add(chunks * rows * narrow);
    const int64_t at_d_low = parts.add(rows * block.ranks()), at_sums = parts.add(norm_sums * width);
    // what adapters see under dropout
    const int64_t at_seen = parts.add(drops ? rows * (3 * width + wide) : 0);
    const int64_t at_packed = parts.add(maps.count()), at_scratch = parts.add(stretches.slots * own.count());
    Tensor memory;
    float* all = working(context, parts.count(), &memory);
    if (!context->status().ok()) return;
    float *normed = all + at_normed, *d_normed = all + at_d_normed, *d_mixed = all + at_d_mixed;
    float *d_queries = all + at_d_queries, *d_straight = all + at_d_straight;
    float *d_straight_keys = all + at_d_straight_keys, *d_keys = all + at_d_keys, *d_values = all + at_d_values;
    float *key_chunks = all + at_key_chunks, *value_chunks = all + at_value_chunks, *sums = all + at_sums;
    float *d_low = all + at_d_low, *d_low_key = d_low + rows * block.query.rank;
    float *d_low_value = d_low_key + rows * block.key.rank, *d_low_output = d_low_value + rows * block.value.rank;
    float* seen_query = drops ? all + at_seen : normed;
    float* seen_key = drops ? seen_query + rows * width : normed;
    float* seen_value = drops ? seen_key + rows * width : normed;
    float* seen_output = drops ? seen_value + rows * width : nullptr;
    float* scratches = all + at_scratch;
    maps.pack(context, all + at_packed);
    const auto gradient_in = [&](int which, const LinearMap& map, const float* slope, int64_t begin, int64_t end,
                                 float* scratch, float* lowered, float* to, bool add) {
      float* factor = scratch + at_factor;
      loops().pack_factor(slope + begin * map.out, map.out, end - begin, map.out, factor);
      input_gradient(map, maps[which], factor, rows, begin, end, lowered + begin * map.rank, scratch + at_low,
                     to + begin * map.in, add, scratch + at_left);
    };
    stretches.run(context, 2.0 * width * wide, scratches, own.count(), [&](int64_t begin, int64_t end, float* scratch) {
      gradient_in(3, block.output, dy, begin, end, scratch, d_low_output, d_mixed, false);
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
    stretches.run(context, block.flops_per_row(), scratches, own.count(), [&](int64_t begin, int64_t end, float* scratch) {
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
      gradient_in(0, block.query, d_straight, begin, end, scratch, d_low, d_normed, false);
      gradient_in(1, block.key, d_straight_keys, begin, end, scratch, d_low_key, d_normed, true);
      gradient_in(2, block.value, d_values, begin, end, scratch, d_low_value, d_normed, true);
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
