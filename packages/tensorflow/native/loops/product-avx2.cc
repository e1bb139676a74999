// Products for AVX2 with FMA.
#include "product-headers.h"

#pragma GCC target("avx2,fma")
// What flags of the compiler would define and the pragma does not; Eigen goes by it.
#define __SSE3__ 1
#define __SSSE3__ 1
#define __SSE4_1__ 1
#define __SSE4_2__ 1
#define __AVX__ 1
#define __AVX2__ 1
#define __FMA__ 1
#define LATENT_EIGEN latent_eigen_avx2
#define LATENT_PRODUCTS avx2_products
#include "product.h"
