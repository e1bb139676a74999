// The loops for AVX-512: sixteen numbers at a time.
#define LATENT_TARGET _Pragma("GCC target(\"avx2,fma,avx512f,avx512bw,avx512dq,avx512vl\")")
#define LATENT_VECTOR_BYTES 64
#define LATENT_INSTRUCTION_SET avx512
#include "all.h"
