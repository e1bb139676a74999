// The fused loops, free of TensorFlow, as one table of functions per instruction set.
//
// Every function works on a range of units, each of which it computes from start to end in an order that does
// not depend on the range: results are the same to the bit however the units are shared among threads.
#pragma once

#include <stdint.h>

namespace latent {

// Visible key ranges of a query: three half-open ranges [start, end), sorted and disjoint.
constexpr int kRangesPerQuery = 3;

// query [B, T, H, d], key and value [B, S, G, d]; H is a multiple of G.
struct AttentionShape {
  int64_t batch, queries, keys, heads, groups, width;
};

struct AttentionInputs {
  const float* query;
  const float* key;
  const float* value;
  const int32_t* ranges;  // [B, T, 3, 2]
};

struct AttentionGradients {
  const float* output;           // [B, T, H, d], of the forward pass
  const float* log_sum;          // [B, H, T], of the forward pass
  const float* output_gradient;  // [B, T, H, d]
  float* query;                  // results, of the shapes of the inputs
  float* key;                    // one for each chunk
  float* value;
  int32_t* reached;  // [chunks, B, 2], the keys [start, end) whose gradients a chunk writes
};

struct AdamWSettings {
  float beta1, beta2, epsilon, rate, decay;
  float scale;  // of the gradient
};

struct AdamWVectors {
  const float* gradient;
  float *weights, *mean, *variance;  // written into
};

// Which numbers a dropout drops: those whose word is below the threshold.
struct DropoutDraw {
  uint32_t threshold, step_low, step_high, key0, key1;
  float scale;  // of the numbers that stay
};

// Teacher labels of a row: k tokens with their probabilities.
struct SparseTeacher {
  const int32_t* ids;  // [R, k]
  const float* probabilities;
  int64_t count;
  bool tail;
};

// Labels of rows of hidden states; without probabilities one each, of 1.
struct HeadLabels {
  const int32_t* ids;  // [R, k]
  const float* probabilities;
  int64_t count;
  bool tail;
};

// What a group of the vocabulary sums under each row's largest logit in it.
struct HeadSums {
  float* rows;    // [R, width], exponentials times the table's rows
  float* tops;    // [R]
  float* totals;  // [R], of exponentials
  float* picked;  // [R, k], the labels' logits, of all groups
  int64_t width;
};

// The largest logits of rows and their words, [R, k] each; excluded words are never among them.
struct TopWords {
  float* values;
  int32_t* words;
  int64_t count;
  const int32_t* excluded;
  int64_t excluded_count;
};

// The rows that a table's gradient sums: token ids[i] gets factors[i] rows[i / count] (without factors, the row).
struct TokenSum {
  const float* rows;     // [R, width]
  const int32_t* ids;    // [R, count]
  const float* factors;  // [R, count], or null
  int64_t total, count, width;
};

// How a map's weights stand in memory, in words of four bytes: as they are; two in a word; four in a word, with the
// row's scale after them. See packed-rows.h.
constexpr int kBlockWords = 16;
enum class WeightFormat { kFloat32 = 32, kBfloat16 = 16, kInt8 = 8 };

struct PackedMap {
  const float* words;  // [out, words_per_row()]
  int64_t out, in;
  WeightFormat format;
  int64_t words_per_row() const {
    if (format == WeightFormat::kFloat32) return in;
    const int64_t block = kBlockWords * (32 / static_cast<int>(format));
    return (in + block - 1) / block * kBlockWords + (format == WeightFormat::kInt8 ? 1 : 0);
  }
};

// C = A B, A B^T or A^T B.
enum class Form { kNN, kNT, kTN };

// Weights are packed in blocks of as many outputs: whole panels of every kernel.
constexpr int64_t kPackedOutputs = 192;

// A factor x [rows, depth] and the weights that it meets, [out, depth], both packed.
struct PackedTerm {
  const float *weights, *factor;
  int64_t depth;
};

struct Loops {
  const char* instruction_set;

  // C [m, n] of row-major matrices whose rows are lda, ldb and ldc numbers apart, the sum over k; added to C where told.
  // A row of C comes out the same whatever rows are computed with it, if calls begin at multiples of 16 rows.
  void (*product)(Form, int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, const float* b, int64_t ldb,
                  float* c, int64_t ldc, bool add);

  // The same product of operands that are packed once and used often, as many numbers as they have. Weights are
  // [out, depth] (kNT) or [depth, out] (kNN); a unit is a block of outputs. A product sums its terms in their order.
  void (*pack_weights)(Form, const float* weights, int64_t stride, int64_t out, int64_t depth, int64_t begin,
                       int64_t end, float* packed);
  void (*pack_factor)(const float* x, int64_t stride, int64_t rows, int64_t depth, float* packed);
  void (*packed_product)(const PackedTerm*, int count, int64_t rows, int64_t out, float* y, int64_t stride, bool add);

  // A unit is a chunk of the query rows that share one key head: units = attention_units(shape).
  int64_t (*attention_units)(const AttentionShape&);
  int64_t (*attention_scratch)(const AttentionShape&);  // floats per call, aligned to 64 bytes
  void (*attention)(const AttentionShape&, const AttentionInputs&, float* output, float* log_sum,
                    int64_t begin, int64_t end, float* scratch);

  // A unit is a chunk of the query rows of one key head of one batch row, B G chunks of them. Each chunk writes its own
  // key and value gradients, [chunks, B, S, G, d], of the keys that it reaches; sum_key_chunks sums them in their order,
  // a key of a batch row a unit.
  int64_t (*attention_gradient_chunks)(const AttentionShape&);
  int64_t (*attention_gradient_scratch)(const AttentionShape&);
  void (*attention_gradient)(const AttentionShape&, const AttentionInputs&, const AttentionGradients&,
                             int64_t begin, int64_t end, float* scratch);
  void (*sum_key_chunks)(const AttentionShape&, const int32_t* reached, const float* parts, float* total,
                         int64_t begin, int64_t end);

  // A unit is one number. sum_parts adds vectors of `count` numbers that stand one after the other, in their order.
  void (*sum_parts)(const float* vectors, int64_t parts, int64_t count, float* sum, int64_t begin, int64_t end);
  void (*swiglu)(const float* gate, const float* up, float* y, int64_t begin, int64_t end);
  void (*swiglu_gradient)(const float* gate, const float* up, const float* dy, float* gate_gradient,
                          float* up_gradient, int64_t begin, int64_t end);
  void (*adam_w)(const AdamWSettings&, const AdamWVectors&, int64_t begin, int64_t end);

  // A unit is a block of four numbers, which one call of the generator serves; the last of `count` may be shorter.
  void (*dropout)(const float* x, const DropoutDraw&, int64_t count, float* y, int64_t begin, int64_t end);

  // A unit is one row of `width` numbers.
  void (*rms_norm)(const float* x, const float* weight, float epsilon, int64_t width, float* y, float* inverse,
                   int64_t begin, int64_t end);
  // Adds the rows' part of the weight's gradient to `weight_gradient` [width].
  void (*rms_norm_gradient)(const float* x, const float* weight, const float* inverse, const float* dy,
                            int64_t width, float* x_gradient, float* weight_gradient, int64_t begin, int64_t end);

  // A unit is one position of `heads` heads; cosine and sine [units, width]. `turn` is 1 or -1 (backwards).
  void (*rotary)(const float* x, const float* cosine, const float* sine, float turn, int64_t heads, int64_t width,
                 float* y, int64_t begin, int64_t end);

  // A unit is one row of `vocabulary` logits; each writes its loss and the slope of it, [vocabulary].
  void (*cross_entropy)(const float* logits, const int32_t* targets, int64_t vocabulary, float* loss, float* slope,
                        int64_t begin, int64_t end);
  void (*full_kl)(const float* logits, const float* teacher, int64_t vocabulary, float* loss, float* slope,
                  int64_t begin, int64_t end);
  void (*sparse_kl)(const float* logits, const SparseTeacher&, int64_t vocabulary, float* loss, float* slope,
                    int64_t begin, int64_t end);
  void (*scale_rows)(const float* rows, const float* factors, int64_t width, float* y, int64_t begin, int64_t end);

  // Losses from hidden states; a unit is one row. See head.h.
  void (*head_stretch)(const HeadLabels&, const HeadSums&, int64_t vocabulary_begin, int64_t vocabulary_end,
                       float scale, float* tile, int64_t stride, int64_t begin, int64_t end);
  void (*head_finish)(const HeadLabels&, const HeadSums* groups, int64_t group_count, const float* table, float scale,
                      float* loss, float* slope, float* state, int64_t begin, int64_t end);
  void (*head_slope)(const HeadLabels&, const float* state, const float* dy, int64_t vocabulary_begin,
                     int64_t vocabulary_end, float scale, float* tile, int64_t stride, int64_t begin, int64_t end);

  // A unit is one mixture of `count` rows of the table.
  void (*mixture)(const float* alpha, const int32_t* ids, const float* table, int64_t count, int64_t width, float* z,
                  int64_t begin, int64_t end);
  void (*mixture_gradient)(const float* dz, const int32_t* ids, const float* table, int64_t count, int64_t width,
                           float* alpha_gradient, int64_t begin, int64_t end);
  // A unit is one token; sums [vocabulary, width].
  void (*sum_by_token)(const TokenSum&, float* sums, int64_t begin, int64_t end);

  // A unit is a row: the words [first_word, first_word + columns) enter its list, whose logits are `stride` numbers apart
  // from those of the range's first row on. Lists of several stretches become one, and whole.
  void (*top_words)(const TopWords&, const float* logits, int64_t stride, int64_t first_word, int64_t columns,
                    int64_t begin, int64_t end);
  void (*merge_top_words)(const TopWords&, int64_t stretches, int64_t rows, float rest, int64_t begin, int64_t end);

  // A unit is an output channel of the map: y [rows, out], set or added to, of x [rows, in].
  void (*packed_rows)(const PackedMap&, const float* x, int64_t rows, float* y, bool add, int64_t begin, int64_t end);
  // A unit is a row of the weights [out, in]; unpacked rows begin with the first of the range.
  void (*unpack_rows)(const PackedMap&, float* weight, int64_t begin, int64_t end);
  void (*pack_rows)(const float* weight, const PackedMap&, float* words, int64_t begin, int64_t end);

  // Many rows as columns [width, stride], stride a multiple of 16; see columns.h. y [channels, stride], set or added to,
  // of weights [channels, in]; meanwhile the next_count numbers at `next` are fetched from memory.
  void (*column_product)(const float* weight, int64_t channels, int64_t in, const float* columns, int64_t stride,
                         float* y, bool add, const float* next, int64_t next_count);
  // A unit is a block of 16 rows. Zeros stand beyond the rows; rows that come back are x_stride numbers apart.
  void (*rows_to_columns)(const float* x, int64_t rows, int64_t width, float* columns, int64_t stride, int64_t begin,
                          int64_t end);
  void (*columns_to_rows)(const float* columns, int64_t stride, int64_t rows, int64_t width, float* x, int64_t x_stride,
                          int64_t begin, int64_t end);
  void (*rms_norm_columns)(const float* x, const float* weight, float epsilon, int64_t width, int64_t stride, float* y,
                           int64_t begin, int64_t end);
};

#define LATENT_DECLARE_PRODUCTS(name)                                                                              \
  namespace name {                                                                                                 \
  void product(Form, int64_t, int64_t, int64_t, const float*, int64_t, const float*, int64_t, float*, int64_t,     \
               bool);                                                                                              \
  void pack_weights(Form, const float*, int64_t, int64_t, int64_t, int64_t, int64_t, float*);                      \
  void pack_factor(const float*, int64_t, int64_t, int64_t, float*);                                               \
  void packed_product(const PackedTerm*, int, int64_t, int64_t, float*, int64_t, bool);                            \
  }
LATENT_DECLARE_PRODUCTS(portable_products)
LATENT_DECLARE_PRODUCTS(avx2_products)
LATENT_DECLARE_PRODUCTS(avx512_products)

extern const Loops portable_loops;
extern const Loops avx2_loops;
extern const Loops avx512_loops;

// The fastest loops that this processor runs; LATENT_SFT_FUSED=avx2 or =portable asks for less.
const Loops& loops();

}  // namespace latent
