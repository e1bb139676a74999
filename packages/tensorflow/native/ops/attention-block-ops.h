// LatentAttentionBlock and its gradient.
#pragma once

#include "attention-block.h"

namespace latent {

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
    const ReadRows& read = block.read;
    float* y = output(context, 0, TensorShape({read.count, width}));
    float* keys = output(context, 1, TensorShape({rows, narrow}));
    float* values = output(context, 2, TensorShape({rows, narrow}));
    const AttentionBlock::Kept at = block.kept();
    float* kept = output(context, 3, TensorShape({at.count}));
    float *inverse = kept + at.inverse, *queries = kept + at.queries, *mixed = kept + at.mixed;
    float *log_sum = kept + at.log_sum, *low = kept + at.low;
    const bool drops = block.drops();
    auto maps = PackedMaps::of_output(read.count, {&block.query, &block.key, &block.value, &block.output},
                                      low + block.low_count());
    const Stretches stretches(context, rows), read_stretches(context, read.count);
    Parts own;  // of a thread's memory
    const int64_t length = std::max(stretches.length, read_stretches.length), larger = std::max(width, wide);
    const int64_t at_normed = own.add(length * width), at_straight = own.add(length * wide);
    const int64_t at_factor = own.add(length * larger), at_low = own.add(length * block.largest_rank());
    const int64_t at_left = own.add(drops ? length * larger : 0), at_seen = own.add(drops ? length * larger : 0);
    Tensor memory;
    float* packed = working(context, maps.count() + stretches.slots * own.count(), &memory);
    if (!context->status().ok()) return;  // an empty output is no error, and null as well
    float* scratches = packed + maps.count();
    float* low_key = low + read.count * block.query.rank;
    float* low_value = low_key + rows * block.key.rank;
    float* low_output = low_value + rows * block.value.rank;
    maps.pack(context, packed);
    const auto apply = [&](int which, const LinearMap& map, const float* x, int64_t of, int64_t begin, int64_t end,
                           float* scratch, float* lowered, float* to, bool add) {
      const float* factor = scratch + at_factor;
      const float* seen = seen_factor(map, x, factor, of, begin, end, scratch + at_left, scratch + at_seen);
      apply_map(map, maps[which], factor, seen, end - begin, lowered + begin * map.rank, scratch + at_low, to, add);
    };
    // of rows whose norms are in the scratch memory
    const auto make_queries = [&](int64_t begin, int64_t end, float* scratch) {
      float* straight = scratch + at_straight;
      apply(0, block.query, scratch + at_normed, read.count, begin, end, scratch, low, straight, false);
      block.turn_queries(straight - begin * wide, 1, queries, begin, end);
    };
    stretches.run(context, block.flops_per_row(), scratches, own.count(), [&](int64_t begin, int64_t end, float* scratch) {
      const int64_t count = end - begin, head = shape.width;
      float *normed = scratch + at_normed, *straight = scratch + at_straight;
      loops().rms_norm(block.x + begin * width, block.norm, epsilon_, width, normed, inverse + begin, 0, count);
      loops().pack_factor(normed, width, count, width, scratch + at_factor);
      if (read.all) make_queries(begin, end, scratch);
      apply(1, block.key, normed, rows, begin, end, scratch, low_key, straight, false);
      loops().rotary(straight, block.cosine + begin * head, block.sine + begin * head, 1, shape.groups, head,
                     keys + begin * narrow, 0, count);
      apply(2, block.value, normed, rows, begin, end, scratch, low_value, values + begin * narrow, false);
    });
    if (!read.all) {
      read_stretches.run(context, block.query_flops_per_row(), scratches, own.count(),
                         [&](int64_t begin, int64_t end, float* scratch) {
        float* normed = scratch + at_normed;
        normed_again(block.x, block.norm, inverse, width, read, begin, end, normed - begin * width);
        loops().pack_factor(normed, width, end - begin, width, scratch + at_factor);
        make_queries(begin, end, scratch);
      });
    }
    const AttentionInputs inputs = {queries, keys, values, block.ranges};
    const int64_t units = loops().attention_units(shape);
    const double per_unit = static_cast<double>(read.count * shape.heads) / (units > 0 ? units : 1);
    share_out(context, units, per_unit * (20 + block.pairs_per_query()) * shape.width / 4, [&](int64_t begin, int64_t end) {
      const Scratch scratch(loops().attention_scratch(shape));
      loops().attention(shape, inputs, mixed, log_sum, begin, end, scratch.data());
    });
    read_stretches.run(context, block.query_flops_per_row(), scratches, own.count(),
                       [&](int64_t begin, int64_t end, float* scratch) {
      const float* from = mixed + begin * wide;
      loops().pack_factor(from, wide, end - begin, wide, scratch + at_factor);
      for (int64_t i = begin; i < end; i++)
        std::copy(block.x + read.row(i) * width, block.x + (read.row(i) + 1) * width, y + i * width);
      apply(3, block.output, from, read.count, begin, end, scratch, low_output, y + begin * width, true);
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
    const ReadRows& read = block.read;
    const AttentionBlock::Kept at = block.kept();
    const auto given = [&](int i) -> const Tensor& { return context->input(context->num_inputs() - 4 + i); };
    const float *keys = floats(given(0)), *values = floats(given(1)), *kept = floats(given(2)), *dy = floats(given(3));
    LATENT_REQUIRE(context,
                   given(3).shape() == TensorShape({read.count, width}) && given(0).NumElements() == rows * narrow &&
                       given(1).NumElements() == rows * narrow && given(2).NumElements() == at.count,
                   "expected what the forward pass saw and gave");
    const float *inverse = kept + at.inverse, *queries = kept + at.queries, *mixed = kept + at.mixed;
    const float *log_sum = kept + at.log_sum, *low = kept + at.low;
    float* gradients[14];
    if (!gradient_outputs(context, {&block.query, &block.key, &block.value, &block.output}, weights_, block.adapted,
                          gradients))
      return;
    const bool drops = block.drops();
    const int64_t chunks = loops().attention_gradient_chunks(shape), larger = std::max(width, wide);
    const int64_t norm_sums = norm_parts(rows);
    auto maps = PackedMaps::of_input_gradient(read.count, {&block.query, &block.key, &block.value, &block.output},
                                              low + block.low_count());
    const Stretches stretches(context, rows), read_stretches(context, read.count);
    Parts own;  // of a thread's memory
    const int64_t length = std::max(stretches.length, read_stretches.length);
    const int64_t at_factor = own.add(length * larger), at_low = own.add(length * block.largest_rank());
    const int64_t at_left = own.add(drops ? length * larger : 0);
    Parts parts;
    const int64_t at_normed = parts.add(rows * width), at_d_normed = parts.add(rows * width);
    const int64_t apart = read.all ? 0 : read.count * width;  // norms of the rows that are read
    const int64_t at_read_normed = parts.add(apart), at_d_read_normed = parts.add(apart);
    const int64_t at_d_mixed = parts.add(read.count * wide);
    const int64_t at_d_queries = parts.add(read.count * wide);  // turned, as attention sees them
    const int64_t at_d_straight = parts.add(read.count * wide);  // and before
    const int64_t at_d_straight_keys = parts.add(rows * narrow), at_d_keys = parts.add(rows * narrow);
    const int64_t at_d_values = parts.add(rows * narrow);
    const int64_t at_key_chunks = parts.add(chunks * rows * narrow), at_value_chunks = parts.add(chunks * rows * narrow);
    const int64_t at_reached = parts.add(chunks * shape.batch * 2);
    const int64_t at_d_low = parts.add(block.low_count()), at_sums = parts.add(norm_sums * width);
    // what adapters see under dropout
    const int64_t at_seen = parts.add(drops ? read.count * (width + wide) + 2 * rows * width : 0);
    const int64_t at_packed = parts.add(maps.count()), at_scratch = parts.add(stretches.slots * own.count());
    Tensor memory;
    float* all = working(context, parts.count(), &memory);
    if (!context->status().ok()) return;
    float *normed = all + at_normed, *d_normed = all + at_d_normed, *d_mixed = all + at_d_mixed;
    float* read_normed = read.all ? normed : all + at_read_normed;
    float* d_read_normed = read.all ? d_normed : all + at_d_read_normed;
    float *d_queries = all + at_d_queries, *d_straight = all + at_d_straight;
    float *d_straight_keys = all + at_d_straight_keys, *d_keys = all + at_d_keys, *d_values = all + at_d_values;
    float *key_chunks = all + at_key_chunks, *value_chunks = all + at_value_chunks, *sums = all + at_sums;
    auto* reached = reinterpret_cast<int32_t*>(all + at_reached);
    float *d_low = all + at_d_low, *d_low_key = d_low + read.count * block.query.rank;
    float *d_low_value = d_low_key + rows * block.key.rank, *d_low_output = d_low_value + rows * block.value.rank;
    float* seen_query = drops ? all + at_seen : read_normed;
    float* seen_key = drops ? seen_query + read.count * width : normed;
    float* seen_value = drops ? seen_key + rows * width : normed;
    float* seen_output = drops ? seen_value + rows * width : nullptr;
    float* scratches = all + at_scratch;
    maps.pack(context, all + at_packed);
    const auto gradient_in = [&](int which, const LinearMap& map, const float* slope, int64_t of, int64_t begin,
                                 int64_t end, float* scratch, float* lowered, float* to, bool add) {
      float* factor = scratch + at_factor;
      loops().pack_factor(slope + begin * map.out, map.out, end - begin, map.out, factor);
      input_gradient(map, maps[which], factor, of, begin, end, lowered + begin * map.rank, scratch + at_low,
                     to + begin * map.in, add, scratch + at_left);
    };
    read_stretches.run(context, block.query_flops_per_row(), scratches, own.count(),
                       [&](int64_t begin, int64_t end, float* scratch) {
      gradient_in(3, block.output, dy, read.count, begin, end, scratch, d_low_output, d_mixed, false);
      if (drops) seen_by(block.output, mixed, read.count, begin, end, seen_output);
    });
    const AttentionInputs inputs = {queries, keys, values, block.ranges};
    const AttentionGradients slopes = {mixed, log_sum, d_mixed, d_queries, key_chunks, value_chunks, reached};
    const int64_t units = shape.batch * shape.groups * chunks;
    const double per_unit = static_cast<double>(read.count * shape.heads) / (units > 0 ? units : 1);
    share_out(context, units, per_unit * (20 + block.pairs_per_query()) * shape.width, [&](int64_t begin, int64_t end) {
      const Scratch scratch(loops().attention_gradient_scratch(shape));
      loops().attention_gradient(shape, inputs, slopes, begin, end, scratch.data());
    });
    const auto through_queries = [&](int64_t begin, int64_t end, float* scratch) {
      block.turn_queries(d_queries, -1, d_straight, begin, end);
      normed_again(block.x, block.norm, inverse, width, read, begin, end, read_normed);
      if (drops) seen_by(block.query, read_normed, read.count, begin, end, seen_query);
      gradient_in(0, block.query, d_straight, read.count, begin, end, scratch, d_low, d_read_normed, false);
    };
    stretches.run(context, block.flops_per_row(), scratches, own.count(), [&](int64_t begin, int64_t end, float* scratch) {
      loops().sum_key_chunks(shape, reached, key_chunks, d_keys, begin, end);
      loops().sum_key_chunks(shape, reached, value_chunks, d_values, begin, end);
      loops().rotary(d_keys, block.cosine, block.sine, -1, shape.groups, shape.width, d_straight_keys, begin, end);
      if (read.all)
        through_queries(begin, end, scratch);
      else
        normed_again(block.x, block.norm, inverse, width, {}, begin, end, normed);
      if (drops) {
        seen_by(block.key, normed, rows, begin, end, seen_key);
        seen_by(block.value, normed, rows, begin, end, seen_value);
      }
      gradient_in(1, block.key, d_straight_keys, rows, begin, end, scratch, d_low_key, d_normed, read.all);
      gradient_in(2, block.value, d_values, rows, begin, end, scratch, d_low_value, d_normed, true);
    });
    if (!read.all) {
      read_stretches.run(context, block.query_flops_per_row(), scratches, own.count(),
                         [&](int64_t begin, int64_t end, float* scratch) {
        through_queries(begin, end, scratch);
        add_read_rows(d_read_normed, width, read, begin, end, d_normed);
      });
    }
    norm_gradient(context, block.x, block.norm, inverse, d_normed, dy, rows, width, sums, gradients[0], gradients[1],
                  read.all ? nullptr : read.places.data());
    const float* low_key = low + read.count * block.query.rank;
    const float* low_value = low_key + rows * block.key.rank;
    const float* low_output = low_value + rows * block.value.rank;
    WeightGradients products(rows), of_read(read.count);
    WeightGradients& read_products = read.all ? products : of_read;
    read_products.add(d_straight, wide, read_normed, width, gradients[2]);
    products.add(d_straight_keys, narrow, normed, width, gradients[5]);
    products.add(d_values, narrow, normed, width, gradients[8]);
    read_products.add(dy, width, mixed, wide, gradients[11]);
    adapter_gradients(&read_products, block.query, d_straight, seen_query, low, d_low, gradients + 3);
    adapter_gradients(&products, block.key, d_straight_keys, seen_key, low_key, d_low_key, gradients + 6);
    adapter_gradients(&products, block.value, d_values, seen_value, low_value, d_low_value, gradients + 9);
    adapter_gradients(&read_products, block.output, dy, drops ? seen_output : mixed, low_output, d_low_output,
                      gradients + 12);
    products.run(context);
    of_read.run(context);
  }

 private:
  bool weights_;
};

REGISTER_KERNEL_BUILDER(Name("LatentAttentionBlock").Device(tensorflow::DEVICE_CPU), AttentionBlockOp);
REGISTER_KERNEL_BUILDER(Name("LatentAttentionBlockGradient").Device(tensorflow::DEVICE_CPU), AttentionBlockGradientOp);

}  // namespace latent
