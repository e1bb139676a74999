// LatentHeadCrossEntropy, LatentHeadSparseKl: losses from hidden states and their slopes in them, in one pass over the
// vocabulary, with logits only in tiles. LatentHeadTableGradient needs the tiles again for a table that is trained: it
// makes them anew, or reads them where they were kept.
#pragma once

#include <algorithm>
#include <vector>

#include "op.h"

namespace latent {

// Without slopes there is no second product; the slope is empty then, and the state alone is not enough for a gradient.
REGISTER_OP("LatentHeadCrossEntropy")
    .Input("hidden: float")
    .Input("table: float")
    .Input("targets: int32")
    .Output("loss: float")
    .Output("slope: float")
    .Output("state: float")
    .Output("logits: float")
    .Attr("slopes: bool")
    .Attr("keeps: bool")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentHeadSparseKl")
    .Input("hidden: float")
    .Input("table: float")
    .Input("ids: int32")
    .Input("probabilities: float")
    .Output("loss: float")
    .Output("slope: float")
    .Output("state: float")
    .Output("logits: float")
    .Attr("tail: bool")
    .Attr("scale: float")
    .Attr("slopes: bool")
    .Attr("keeps: bool")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("LatentHeadTableGradient")
    .Input("hidden: float")
    .Input("table: float")
    .Input("ids: int32")
    .Input("state: float")
    .Input("logits: float")
    .Input("dy: float")
    .Output("table_gradient: float")
    .Attr("scale: float")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

constexpr int64_t kTileRows = 256, kTileColumns = 512;

// Groups of the vocabulary, whose sums are added in their order; a small vocabulary is one, and rows are shared instead.
constexpr int64_t kMostGroups = 16, kGroupTokens = 2048;
inline int64_t groups_of(int64_t vocabulary) {
  return std::min(kMostGroups, std::max<int64_t>(1, vocabulary / kGroupTokens));
}

inline double head_cycles(int64_t tokens, int64_t width) { return tokens * (width / 8.0 + 4); }

// Tiles are whole vectors of any instruction set. So is the copy of a table of one stretch, with rows of 0: products with
// a few columns too many are faster than products of an odd number of them.
inline int64_t padded(int64_t columns) { return (columns + 15) / 16 * 16; }

inline void copy_tile(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to, int64_t stride) {
  for (int64_t row = 0; row < rows; row++)
    std::copy(from + row * from_stride, from + row * from_stride + columns, to + row * stride);
}

class HeadTable {
 public:
  HeadTable(const float* table, int64_t vocabulary, int64_t width) : table_(table), width_(width) {
    if (vocabulary > kTileColumns || vocabulary % 16 == 0) return;
    copy_.resize(padded(vocabulary) * width);
    std::copy(table, table + vocabulary * width, copy_.begin());
  }

  // hidden T^T of the tokens [begin, end), in rows padded(end - begin) apart.
  void logits(const float* hidden, int64_t rows, int64_t begin, int64_t end, float* tile) const {
    const int64_t columns = end - begin, stride = padded(columns);
    const bool copied = !copy_.empty();
    loops().product(Form::kNT, rows, copied ? stride : columns, width_, hidden, width_,
                    copied ? copy_.data() : table_ + begin * width_, width_, tile, stride, false);
  }

  const float* row(int64_t token) const { return table_ + token * width_; }
  int64_t width() const { return width_; }

 private:
  const float* table_;
  int64_t width_;
  std::vector<float> copy_;
};

class HeadLossOp : public OpKernel {
 public:
  explicit HeadLossOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("slopes", &slopes_));
    OP_REQUIRES_OK(construction, construction->GetAttr("keeps", &keeps_));
    if (construction->HasAttr("tail")) {
      OP_REQUIRES_OK(construction, construction->GetAttr("tail", &tail_));
      OP_REQUIRES_OK(construction, construction->GetAttr("scale", &scale_));
    }
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &hidden = context->input(0), &table = context->input(1), &ids = context->input(2);
    LATENT_REQUIRE(context, hidden.dims() == 2 && table.dims() == 2 && table.dim_size(0) > 0, "expected two matrices");
    const int64_t rows = hidden.dim_size(0), width = hidden.dim_size(1), vocabulary = table.dim_size(0);
    const bool sparse = context->num_inputs() == 4;
    const int64_t count = sparse && ids.dims() == 2 ? ids.dim_size(1) : 1;
    LATENT_REQUIRE(context, table.dim_size(1) == width && ids.NumElements() == rows * count, "expected labels [R, k]");
    LATENT_REQUIRE(context, !sparse || context->input(3).shape() == ids.shape(), "expected a probability a label");
    LATENT_REQUIRE(context, within(ids, vocabulary), "expected labels within the table");
    float* loss = output(context, 0, TensorShape({rows}));
    float* slope = output(context, 1, slopes_ ? hidden.shape() : TensorShape({0}));
    float* state = output(context, 2, TensorShape({rows, count + 2}));
    float* kept = output(context, 3, keeps_ ? TensorShape({rows, vocabulary}) : TensorShape({0}));
    if (!context->status().ok()) return;  // an empty output is no error, and null as well

    const int64_t groups = groups_of(vocabulary), chunk = std::min(rows, 16 * kTileColumns / groups);
    // the first group sums where the slope will be
    const int64_t summed = slopes_ ? width : 0;
    const int64_t needed = chunk * ((groups - 1) * summed + 2 * groups + count);
    Tensor memory;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_FLOAT, TensorShape({needed}), &memory));
    float* scratch = memory.flat<float>().data();
    const HeadTable words(floats(table), vocabulary, width);
    for (int64_t first = 0; first < rows; first += chunk) {
      const int64_t part = std::min(chunk, rows - first);
      std::vector<HeadSums> sums(groups);
      float* picked = scratch + chunk * ((groups - 1) * summed + 2 * groups);
      for (int64_t g = 0; g < groups; g++) {
        float* tops = scratch + chunk * ((groups - 1) * summed + 2 * g);
        float* own = g == 0 ? slope + first * summed : scratch + chunk * (g - 1) * summed;
        sums[g] = {own, tops, tops + chunk, picked, summed};
      }
      const HeadLabels labels = {ints(ids) + first * count,
                                 sparse ? floats(context->input(3)) + first * count : nullptr, count, tail_};
      add_up(context, labels, sums, floats(hidden) + first * width, words, part, vocabulary,
             keeps_ ? kept + first * vocabulary : nullptr);
      share_out(context, part, (groups + count) * width / 4.0 + 20 * count, [&](int64_t begin, int64_t end) {
        loops().head_finish(labels, sums.data(), groups, floats(table), scale_, loss + first, slope + first * summed,
                            state + first * (count + 2), begin, end);
      });
    }
  }

 private:
  // A unit is some rows with one group of the vocabulary; units of a group come one after the other, for its caches.
  void add_up(OpKernelContext* context, const HeadLabels& labels, const std::vector<HeadSums>& sums,
              const float* hidden, const HeadTable& table, int64_t rows, int64_t vocabulary, float* kept) const {
    const int64_t groups = static_cast<int64_t>(sums.size()), unit_rows = 64 * groups;
    const int64_t row_units = (rows + unit_rows - 1) / unit_rows;
    const int64_t tile_rows = std::min(std::min(rows, unit_rows), kTileRows);
    const double cycles = std::min(rows, unit_rows) * head_cycles(vocabulary / groups, table.width() + sums[0].width);
    share_out(context, groups * row_units, cycles, [&](int64_t begin, int64_t end) {
      const Scratch tile(tile_rows * padded(std::min(vocabulary, kTileColumns)));
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t group = unit / row_units, first = unit % row_units * unit_rows;
        add_up_group(labels, sums[group], hidden, table, first, std::min(rows, first + unit_rows),
                     vocabulary * group / groups, vocabulary * (group + 1) / groups, tile.data(), kept, vocabulary);
      }
    });
  }

  void add_up_group(const HeadLabels& labels, const HeadSums& sums, const float* hidden, const HeadTable& table,
                    int64_t first, int64_t last, int64_t begin, int64_t end, float* tile, float* kept,
                    int64_t vocabulary) const {
    const int64_t width = table.width(), summed = sums.width;
    std::fill(sums.rows + first * summed, sums.rows + last * summed, 0.0f);
    std::fill(sums.tops + first, sums.tops + last, -__builtin_inff());
    std::fill(sums.totals + first, sums.totals + last, 0.0f);
    for (int64_t from = begin; from < end; from += kTileColumns) {
      const int64_t to = std::min(end, from + kTileColumns), columns = to - from;
      for (int64_t row = first; row < last; row += kTileRows) {
        const int64_t rows = std::min(last - row, kTileRows);
        table.logits(hidden + row * width, rows, from, to, tile);
        if (kept != nullptr) copy_tile(tile, padded(columns), rows, columns, kept + row * vocabulary + from, vocabulary);
        loops().head_stretch(labels, sums, from, to, scale_, tile, padded(columns), row, row + rows);
        if (summed == 0) continue;
        loops().product(Form::kNN, rows, width, columns, tile, padded(columns), table.row(from), width,
                        sums.rows + row * width, width, true);
      }
    }
  }

  bool tail_ = false, slopes_ = true, keeps_ = false;
  float scale_ = 1;
};

class HeadTableGradientOp : public OpKernel {
 public:
  explicit HeadTableGradientOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("scale", &scale_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &hidden = context->input(0), &table = context->input(1), &ids = context->input(2);
    const Tensor &state = context->input(3), &logits = context->input(4), &dy = context->input(5);
    LATENT_REQUIRE(context, hidden.dims() == 2 && table.dims() == 2 && state.dims() == 2, "expected three matrices");
    const int64_t rows = hidden.dim_size(0), width = hidden.dim_size(1), vocabulary = table.dim_size(0);
    const int64_t count = state.dim_size(1) - 2;
    LATENT_REQUIRE(context,
                   table.dim_size(1) == width && state.dim_size(0) == rows && dy.NumElements() == rows &&
                       ids.NumElements() == rows * count && within(ids, vocabulary),
                   "expected labels [R, k] with their state and gradient");
    const bool kept = logits.NumElements() != 0;
    LATENT_REQUIRE(context, !kept || logits.NumElements() == rows * vocabulary, "expected logits [R, V], or none");
    float* gradient = output(context, 0, table.shape());
    if (gradient == nullptr) return;

    // a small vocabulary is shared by rows, whose parts are added in their order
    const int64_t stretches = (vocabulary + kTileColumns - 1) / kTileColumns;
    const int64_t parts = stretches >= kMostGroups ? 1 : std::max<int64_t>(1, std::min<int64_t>(rows / 64, 8));
    Tensor memory;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_FLOAT,
                                                   TensorShape({parts == 1 ? 0 : parts * vocabulary * width}), &memory));
    float* sums = parts == 1 ? gradient : memory.flat<float>().data();
    const HeadLabels labels = {ints(ids), nullptr, count, false};
    const HeadTable words(floats(table), vocabulary, width);
    const int64_t tile_columns = std::min(vocabulary, kTileColumns);
    const double cycles = rows / parts * head_cycles(tile_columns, 2 * width);
    share_out(context, stretches * parts, cycles, [&](int64_t begin, int64_t end) {
      const Scratch tile(kTileRows * padded(tile_columns));
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t part = unit % parts, from = unit / parts * kTileColumns;
        const int64_t to = std::min(vocabulary, from + kTileColumns), columns = to - from;
        float* own = sums + (part * vocabulary + from) * width;
        std::fill(own, own + columns * width, 0.0f);
        const int64_t last = rows * (part + 1) / parts;
        for (int64_t row = rows * part / parts; row < last; row += kTileRows) {
          const int64_t height = std::min(last - row, kTileRows);
          const float* read = floats(hidden) + row * width;
          if (kept)
            copy_tile(floats(logits) + row * vocabulary + from, vocabulary, height, columns, tile.data(),
                      padded(columns));
          else
            words.logits(read, height, from, to, tile.data());
          loops().head_slope(labels, floats(state), floats(dy), from, to, scale_, tile.data(), padded(columns), row,
                             row + height);
          loops().product(Form::kTN, columns, width, height, tile.data(), padded(columns), read, width, own, width, true);
        }
      }
    });
    if (parts == 1) return;
    share_out(context, vocabulary * width, static_cast<double>(parts), [&](int64_t begin, int64_t end) {
      loops().sum_parts(sums, parts, vocabulary * width, gradient, begin, end);
    });
  }

 private:
  float scale_ = 1;
};

REGISTER_KERNEL_BUILDER(Name("LatentHeadCrossEntropy").Device(tensorflow::DEVICE_CPU), HeadLossOp);
REGISTER_KERNEL_BUILDER(Name("LatentHeadSparseKl").Device(tensorflow::DEVICE_CPU), HeadLossOp);
REGISTER_KERNEL_BUILDER(Name("LatentHeadTableGradient").Device(tensorflow::DEVICE_CPU), HeadTableGradientOp);

}  // namespace latent
