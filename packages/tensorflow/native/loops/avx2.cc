// The loops for AVX2 with FMA: eight numbers at a time.
#define LATENT_TARGET _Pragma("GCC target(\"avx2,fma\")")
#define LATENT_VECTOR_BYTES 32
#define LATENT_INSTRUCTION_SET avx2
#include "all.h"
