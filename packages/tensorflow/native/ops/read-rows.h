// The rows of a batch whose results are read: a last layer makes queries, and all that comes after them, of these alone.
#pragma once

#include <vector>

#include "op.h"

namespace latent {

struct ReadRows {
  bool all = true;
  int64_t count = 0;
  const int32_t* rows = nullptr;  // distinct, in any order; none where all are read
  std::vector<int32_t> places;    // of every row of the batch among those that are read, -1 where it is not

  int64_t row(int64_t place) const { return all ? place : rows[place]; }

  // Reads a choice out of `total` rows; false where it is none.
  bool choose(const Tensor& chosen, int64_t total) {
    if (chosen.dims() != 1 || !within(chosen, total)) return false;
    all = false;
    count = chosen.NumElements();
    rows = ints(chosen);
    places.assign(total, -1);
    for (int64_t i = 0; i < count; i++) {
      if (places[rows[i]] >= 0) return false;
      places[rows[i]] = static_cast<int32_t>(i);
    }
    return true;
  }
};

}  // namespace latent
