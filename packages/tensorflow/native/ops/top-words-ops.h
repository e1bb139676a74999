// LatentTopWords: the words with the largest logits of each row; LatentHeadTopWords: the same from hidden states, with
// logits in tiles that nobody keeps.
#pragma once

#include "head-ops.h"

namespace latent {

REGISTER_OP("LatentTopWords")
    .Input("logits: float")
    .Input("excluded: int32")
    .Output("values: float")
    .Output("words: int32")
    .Attr("count: int")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentHeadTopWords")
    .Input("hidden: float")
    .Input("table: float")
    .Input("excluded: int32")
    .Output("values: float")
    .Output("words: int32")
    .Attr("count: int")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

class TopWordsOp : public OpKernel {
 public:
  explicit TopWordsOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("count", &count_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& read = context->input(0);
    const bool from_hidden = context->num_inputs() == 3;
    LATENT_REQUIRE(context, read.dims() == 2 && (!from_hidden || context->input(1).dims() == 2), "expected matrices");
    const int64_t rows = read.dim_size(0);
    const int64_t vocabulary = from_hidden ? context->input(1).dim_size(0) : read.dim_size(1);
    LATENT_REQUIRE(context, !from_hidden || context->input(1).dim_size(1) == read.dim_size(1), "expected a table [V, D]");
    LATENT_REQUIRE(context, count_ >= 1 && count_ <= vocabulary, "expected no more words than there are");
    float* values = output(context, 0, TensorShape({rows, count_}));
    Tensor* chosen = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(1, TensorShape({rows, count_}), &chosen));
    if (!context->status().ok() || rows == 0) return;
    int32_t* words = chosen->flat<int32_t>().data();
    const Tensor& excluded = context->input(from_hidden ? 2 : 1);
    const TopWords top = {values, words, count_, ints(excluded), excluded.NumElements()};
    if (from_hidden)
      from_states(context, top, rows, vocabulary);
    else
      from_logits(context, top, rows, vocabulary);
  }

 private:
  static constexpr float kRest = -1e9f;

  static void clear(const TopWords& top, int64_t begin, int64_t end) {
    std::fill(top.values + begin * top.count, top.values + end * top.count, -__builtin_inff());
    std::fill(top.words + begin * top.count, top.words + end * top.count, -1);
  }

  static void from_logits(OpKernelContext* context, const TopWords& top, int64_t rows, int64_t vocabulary) {
    const float* logits = floats(context->input(0));
    share_out(context, rows, vocabulary / 4.0 + 300 * top.count, [&](int64_t begin, int64_t end) {
      clear(top, begin, end);
      loops().top_words(top, logits + begin * vocabulary, vocabulary, 0, vocabulary, begin, end);
      loops().merge_top_words(top, 1, rows, kRest, begin, end);
    });
  }

  // A unit is a group of the vocabulary with some rows; each has lists of its own, the first group's are the result.
  static void from_states(OpKernelContext* context, const TopWords& top, int64_t rows, int64_t vocabulary) {
    const int64_t groups = groups_of(vocabulary), listed = rows * top.count;
    std::vector<float> values(groups * listed);
    std::vector<int32_t> words(groups * listed);
    const TopWords all = {values.data(), words.data(), top.count, top.excluded, top.excluded_count};
    const HeadTable table(floats(context->input(1)), vocabulary, context->input(1).dim_size(1));
    const float* hidden = floats(context->input(0));
    const int64_t unit_rows = 64 * groups, row_units = (rows + unit_rows - 1) / unit_rows;
    const int64_t tile_rows = std::min(std::min(rows, unit_rows), kTileRows);
    const double cycles = std::min(rows, unit_rows) * head_cycles(vocabulary / groups, table.width());
    share_out(context, groups * row_units, cycles, [&](int64_t begin, int64_t end) {
      const Scratch tile(tile_rows * padded(std::min(vocabulary, kTileColumns)));
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t group = unit / row_units, first = unit % row_units * unit_rows;
        const int64_t last = std::min(rows, first + unit_rows), to = vocabulary * (group + 1) / groups;
        const TopWords own = {all.values + group * listed, all.words + group * listed, top.count, top.excluded,
                              top.excluded_count};
        clear(own, first, last);
        for (int64_t from = vocabulary * group / groups; from < to; from += kTileColumns) {
          const int64_t columns = std::min(to - from, kTileColumns);
          for (int64_t row = first; row < last; row += kTileRows) {
            const int64_t height = std::min(last - row, kTileRows);
            table.logits(hidden + row * table.width(), height, from, from + columns, tile.data());
            loops().top_words(own, tile.data(), padded(columns), from, columns, row, row + height);
          }
        }
      }
    });
    share_out(context, rows, 100.0 * groups * top.count, [&](int64_t begin, int64_t end) {
      loops().merge_top_words(all, groups, rows, kRest, begin, end);
    });
    std::copy(values.begin(), values.begin() + listed, top.values);
    std::copy(words.begin(), words.begin() + listed, top.words);
  }

  int64_t count_ = 0;
};

REGISTER_KERNEL_BUILDER(Name("LatentTopWords").Device(tensorflow::DEVICE_CPU), TopWordsOp);
REGISTER_KERNEL_BUILDER(Name("LatentHeadTopWords").Device(tensorflow::DEVICE_CPU), TopWordsOp);

}  // namespace latent
