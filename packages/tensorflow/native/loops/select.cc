#include <stdlib.h>
#include <string.h>

#include "loops.h"

namespace latent {

static const Loops& select_loops() {
  const char* asked = getenv("LATENT_SFT_FUSED");
  const bool portable = asked != nullptr && strcmp(asked, "portable") == 0;
  const bool avx2 = asked != nullptr && strcmp(asked, "avx2") == 0;
#ifdef __x86_64__
  __builtin_cpu_init();
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (has_avx512 && !avx2 && !portable) return avx512_loops;
  if (has_avx2 && !portable) return avx2_loops;
#endif
  return portable_loops;
}

const Loops& loops() {
  static const Loops& selected = select_loops();
  return selected;
}

}  // namespace latent
