// Products of row-major matrices by Eigen, whose headers come with TensorFlow: one copy of it per instruction set, under
// a namespace of its own, so that the linker cannot mix them.

#define EIGEN_DONT_PARALLELIZE
#define EIGEN_NO_DEBUG
#define Eigen LATENT_EIGEN
#include <Eigen/Core>

namespace latent {

// Eigen's results are column-major, so that what it computes is C^T. Its kernel is called below the level at which it
// tells small and thin products apart: a row must come out the same whatever rows are computed beside it.
template <int kLeftOrder, int kRightOrder>
static void product_of(int64_t rows, int64_t columns, int64_t depth, const float* left, int64_t left_stride,
                       const float* right, int64_t right_stride, float* result, int64_t stride) {
  using Eigen::internal::gemm_blocking_space;
  gemm_blocking_space<Eigen::ColMajor, float, float, Eigen::Dynamic, Eigen::Dynamic, Eigen::Dynamic, 1, false> blocking(
      rows, columns, depth, 1, true);
  Eigen::internal::general_matrix_matrix_product<Eigen::Index, float, kLeftOrder, false, float, kRightOrder, false,
                                                 Eigen::ColMajor, 1>::run(rows, columns, depth, left, left_stride, right,
                                                                          right_stride, result, 1, stride, 1.0f,
                                                                          blocking, nullptr);
}

namespace LATENT_PRODUCTS {

// Vectors at a time: what the compiler takes for a memset becomes a string instruction, slow for a short row.
__attribute__((noinline, optimize("no-tree-loop-distribute-patterns"))) static void clear(float* y, int64_t count) {
  using Packet = Eigen::internal::packet_traits<float>::type;
  constexpr int64_t kLanes = Eigen::internal::packet_traits<float>::size;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) Eigen::internal::pstoreu(y + i, Eigen::internal::pset1<Packet>(0.0f));
  for (; i < count; i++) y[i] = 0;
}

void product(Form form, int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, const float* b, int64_t ldb,
             float* c, int64_t ldc, bool add) {
  if (!add)
    for (int64_t row = 0; row < m; row++) clear(c + row * ldc, n);
  if (m == 0 || n == 0 || k == 0) return;
  constexpr int kColumns = Eigen::ColMajor, kRows = Eigen::RowMajor;
  if (form == Form::kNN) product_of<kColumns, kColumns>(n, m, k, b, ldb, a, lda, c, ldc);
  if (form == Form::kNT) product_of<kRows, kColumns>(n, m, k, b, ldb, a, lda, c, ldc);
  if (form == Form::kTN) product_of<kColumns, kRows>(n, m, k, b, ldb, a, lda, c, ldc);
}

using Traits = Eigen::internal::gebp_traits<float, float>;
template <int kOrder>
using Operand = Eigen::internal::const_blas_data_mapper<float, Eigen::Index, kOrder>;

// Calls body(begin, length) for the stretches of the depth that Eigen's kernel sums in registers: as even as may be.
template <typename Body>
static void each_depth(int64_t depth, const Body& body) {
  constexpr int64_t kMost = 768;
  const int64_t sweeps = (depth + kMost - 1) / kMost;
  if (sweeps == 0) return;
  const int64_t step = ((depth + sweeps - 1) / sweeps + 15) / 16 * 16;  // so that parts begin aligned
  for (int64_t begin = 0; begin < depth; begin += step) body(begin, std::min(step, depth - begin));
}

template <int kOrder>
static void pack_weights_of(const float* weights, int64_t stride, int64_t out, int64_t depth, int64_t begin, int64_t end,
                            float* packed) {
  Eigen::internal::gemm_pack_lhs<float, Eigen::Index, Operand<kOrder>, Traits::mr, Traits::LhsProgress,
                                 typename Traits::LhsPacket4Packing, kOrder>
      pack;
  const Operand<kOrder> from(weights, stride);
  for (int64_t block = begin; block < end; block++) {
    const int64_t first = block * kPackedOutputs, count = std::min(kPackedOutputs, out - first);
    each_depth(depth, [&](int64_t at, int64_t length) {
      pack(packed + first * depth + at * count, from.getSubMapper(first, at), length, count);
    });
  }
}

void pack_weights(Form form, const float* weights, int64_t stride, int64_t out, int64_t depth, int64_t begin,
                  int64_t end, float* packed) {
  if (form == Form::kNT) return pack_weights_of<Eigen::RowMajor>(weights, stride, out, depth, begin, end, packed);
  pack_weights_of<Eigen::ColMajor>(weights, stride, out, depth, begin, end, packed);
}

void pack_factor(const float* x, int64_t stride, int64_t rows, int64_t depth, float* packed) {
  Eigen::internal::gemm_pack_rhs<float, Eigen::Index, Operand<Eigen::ColMajor>, Traits::nr, Eigen::ColMajor> pack;
  const Operand<Eigen::ColMajor> from(x, stride);
  each_depth(depth, [&](int64_t at, int64_t length) { pack(packed + at * rows, from.getSubMapper(at, 0), length, rows); });
}

// y [rows, outputs] += a panel's product; where `first`, y is set. Eigen's kernel for AVX-512 can do without the sum.
static void packed_panel(const float* weights, const float* factor, int64_t outputs, int64_t depth, int64_t rows, float* y,
                         int64_t stride, bool first) {
  using Result = Eigen::internal::blas_data_mapper<float, Eigen::Index, Eigen::ColMajor, Eigen::Unaligned, 1>;
#ifdef EIGEN_VECTORIZE_AVX512
  if (first) {
    float one = 1;
    return Eigen::internal::gemm_kern_avx512<float, Traits::mr, Traits::nr, true, true, true>(
        outputs, rows, depth, &one, weights, factor, y, stride);
  }
#else
  if (first)
    for (int64_t row = 0; row < rows; row++) clear(y + row * stride, outputs);
#endif
  Eigen::internal::gebp_kernel<float, float, Eigen::Index, Result, Traits::mr, Traits::nr, false, false> kernel;
  kernel(Result(y, stride, 1), weights, factor, outputs, depth, rows, 1.0f);
}

void packed_product(const PackedTerm* terms, int count, int64_t rows, int64_t out, float* y, int64_t stride, bool add) {
  for (int64_t first = 0; first < out; first += kPackedOutputs) {
    const int64_t outputs = std::min(kPackedOutputs, out - first);
    bool sets = !add;
    for (int i = 0; i < count; i++) {
      const PackedTerm& term = terms[i];
      each_depth(term.depth, [&](int64_t at, int64_t length) {
        packed_panel(term.weights + first * term.depth + at * outputs, term.factor + at * rows, outputs, length, rows,
                     y + first, stride, sets);
        sets = false;
      });
    }
    for (int64_t row = 0; sets && row < rows; row++) clear(y + row * stride + first, outputs);  // no terms, or empty ones
  }
}

}  // namespace LATENT_PRODUCTS

}  // namespace latent
