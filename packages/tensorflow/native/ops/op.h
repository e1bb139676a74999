// What every fused operation needs of TensorFlow.
#pragma once

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <cstdlib>
#include <memory>

#include "../loops/loops.h"
#include "share-out.h"
#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace latent {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

#define LATENT_REQUIRE(context, condition, message) \
  OP_REQUIRES(context, condition, tensorflow::errors::InvalidArgument(message))

// Working memory of one part, aligned to a cache line.
class Scratch {
 public:
  explicit Scratch(int64_t count) : memory_(std::aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64)) {
    if (memory_ == nullptr) throw std::bad_alloc();
  }
  ~Scratch() { std::free(memory_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  float* data() const { return static_cast<float*>(memory_); }

 private:
  void* memory_;
};

inline const float* floats(const Tensor& tensor) { return tensor.flat<float>().data(); }
inline const int32_t* ints(const Tensor& tensor) { return tensor.flat<int32_t>().data(); }

// Asks for pages of 2 MB for new memory that spans several: products walk over it at strides for which the processor's
// table of small pages is too short. Without them, or elsewhere, it is only slower.
inline void in_large_pages(float* memory, int64_t count) {
#ifdef MADV_HUGEPAGE
  constexpr int64_t kSmall = 4096, kWorth = int64_t{4} << 20;
  const int64_t bytes = count * static_cast<int64_t>(sizeof(float));
  if (bytes < kWorth) return;
  const auto begin = (reinterpret_cast<uintptr_t>(memory) + kSmall - 1) / kSmall * kSmall;
  const auto end = (reinterpret_cast<uintptr_t>(memory) + bytes) / kSmall * kSmall;
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

// A new float output, or null after an error.
inline float* output(OpKernelContext* context, int index, const TensorShape& shape) {
  Tensor* tensor = nullptr;
  const auto status = context->allocate_output(index, shape, &tensor);
  if (!status.ok()) {
    context->SetStatus(status);
    return nullptr;
  }
  float* data = tensor->flat<float>().data();
  in_large_pages(data, tensor->NumElements());
  return data;
}

// Whether every index lies within [0, limit).
inline bool within(const Tensor& indices, int64_t limit) {
  const int32_t* index = ints(indices);
  for (int64_t i = 0; i < indices.NumElements(); i++)
    if (index[i] < 0 || index[i] >= limit) return false;
  return true;
}

}  // namespace latent
