// What Eigen includes of the system, before a target is set: an inline function of theirs, compiled for AVX-512, could
// otherwise be the copy that the linker keeps for everyone.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iosfwd>
#include <limits>
#include <memory>
#include <sstream>
#include <type_traits>
#include <utility>
#include <vector>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "loops.h"
