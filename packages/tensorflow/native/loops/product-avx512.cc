// Products for AVX-512.
#include "product-headers.h"

#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
// What flags of the compiler would define and the pragma does not; Eigen goes by it.
#define __SSE3__ 1
#define __SSSE3__ 1
#define __SSE4_1__ 1
#define __SSE4_2__ 1
#define __AVX__ 1
#define __AVX2__ 1
#define __FMA__ 1
#define __AVX512F__ 1
#define __AVX512BW__ 1
#define __AVX512DQ__ 1
#define __AVX512VL__ 1
#define LATENT_EIGEN latent_eigen_avx512
#define LATENT_PRODUCTS avx512_products
#include "product.h"
