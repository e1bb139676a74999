// The loops for any x86-64 processor: four numbers at a time.
#define LATENT_VECTOR_BYTES 16
#define LATENT_INSTRUCTION_SET portable
#include "all.h"
