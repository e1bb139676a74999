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

void LATENT_PRODUCT(Form form, int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, const float* b,
                    int64_t ldb, float* c, int64_t ldc, bool add) {
  if (!add)
    for (int64_t row = 0; row < m; row++) memset(c + row * ldc, 0, n * sizeof(float));
  if (m == 0 || n == 0 || k == 0) return;
  constexpr int kColumns = Eigen::ColMajor, kRows = Eigen::RowMajor;
  if (form == Form::kNN) product_of<kColumns, kColumns>(n, m, k, b, ldb, a, lda, c, ldc);
  if (form == Form::kNT) product_of<kRows, kColumns>(n, m, k, b, ldb, a, lda, c, ldc);
  if (form == Form::kTN) product_of<kColumns, kRows>(n, m, k, b, ldb, a, lda, c, ldc);
}

}  // namespace latent
