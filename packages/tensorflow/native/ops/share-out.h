// How an operation's work is shared among TensorFlow's threads: the thread that asks takes part until nothing is left,
// and the others join when they wake, so that a late one costs nothing but its help.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "tensorflow/core/framework/op_kernel.h"

namespace latent {

// Units that threads take some at a time until none is left.
class SharedUnits {
 public:
  SharedUnits(int64_t units, int64_t grain) : units_(units), grain_(grain) {}

  // A thread that finds nothing left does not touch `body`, which may be gone by then.
  template <typename Body>
  void take(const Body& body, int slot) {
    for (;;) {
      const int64_t begin = next_.fetch_add(grain_);
      if (begin >= units_) return;
      const int64_t end = std::min(units_, begin + grain_);
      body(begin, end, slot);
      if (done_.fetch_add(end - begin) + end - begin < units_) continue;
      const std::lock_guard<std::mutex> lock(mutex_);
      finished_.notify_all();
    }
  }

  void wait() {
    for (int turn = 0; turn < kTurns; turn++) {
      if (done_.load() == units_) return;
      rest();
    }
    std::unique_lock<std::mutex> lock(mutex_);
    finished_.wait(lock, [&] { return done_.load() == units_; });
  }

 private:
  static constexpr int kTurns = 2000;  // some ten microseconds, less than to sleep and be woken

  static void rest() {
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
  }

  const int64_t units_, grain_;
  std::atomic<int64_t> next_{0}, done_{0};
  std::mutex mutex_;
  std::condition_variable finished_;
};

inline tsl::thread::ThreadPool* threads_of(tensorflow::OpKernelContext* context) {
  return context->device()->tensorflow_cpu_worker_threads()->workers;
}

// Runs body(begin, end, slot) over parts of [0, units); no two threads have a slot, which is below NumThreads(), at once.
template <typename Body>
void share_slots(tensorflow::OpKernelContext* context, int64_t units, double cycles_per_unit, const Body& body) {
  if (units == 0) return;
  constexpr double kWorthWaking = 40000, kWorthTaking = 10000;  // cycles
  auto* threads = threads_of(context);
  const auto worth = static_cast<int64_t>(units * cycles_per_unit / kWorthWaking);
  const int64_t others = std::min<int64_t>({threads->NumThreads() - 1, units - 1, worth});
  if (others <= 0) return body(0, units, 0);
  const int64_t even = units / (16 * (others + 1)), least = static_cast<int64_t>(kWorthTaking / (cycles_per_unit + 1));
  const auto shared = std::make_shared<SharedUnits>(units, std::max<int64_t>({1, even, std::min(least, units / (others + 1))}));
  for (int slot = 1; slot <= others; slot++)
    threads->Schedule([shared, slot, &body] { shared->take(body, slot); });
  shared->take(body, 0);
  shared->wait();
}

// Runs body(begin, end) over parts of [0, units). How they are cut depends on the number of threads, what comes out does
// not: see loops.h.
template <typename Body>
void share_out(tensorflow::OpKernelContext* context, int64_t units, double cycles_per_unit, const Body& body) {
  share_slots(context, units, cycles_per_unit, [&](int64_t begin, int64_t end, int) { body(begin, end); });
}

}  // namespace latent
