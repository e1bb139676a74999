// Threads that go through many short pieces of work together without sleeping in between: a step of a decoder is some
// hundred of them, and waking a thread takes as long as a piece.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "op.h"

namespace latent {

// The calling thread, and such of TensorFlow's threads as come to help while the team lives. A helper takes parts of the
// piece of work at hand; who comes late, or never, is not waited for. What comes out does not depend on who did it.
class Team {
 public:
  explicit Team(OpKernelContext* context)
      : workers_(context->device()->tensorflow_cpu_worker_threads()->workers), threads_(workers_->NumThreads()) {}
  ~Team() {
    if (work_) work_->over.store(true, std::memory_order_release);
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // Runs body(begin, end) over parts of [0, units), and returns when all are done.
  template <typename Body>
  void run(int64_t units, double cycles_per_unit, const Body& body) {
    const double worth = units * cycles_per_unit / kCyclesPerPart;
    const int64_t most = std::min<int64_t>(units, threads_ * kPartsPerThread);
    const int64_t parts = worth < most ? static_cast<int64_t>(worth) : most;
    if (units == 0) return;
    if (threads_ == 1 || parts < 2) return body(int64_t{0}, units);
    gather();
    work_->call = [](const void* given, int64_t begin, int64_t end) { (*static_cast<const Body*>(given))(begin, end); };
    work_->body = &body;
    work_->units = units;
    work_->parts = parts;
    work_->left.store(parts, std::memory_order_relaxed);
    piece_++;
    work_->ticket.store(piece_ << 32 | static_cast<uint64_t>(parts), std::memory_order_release);
    while (work_->take()) {
    }
    for (int spins = 0; work_->left.load(std::memory_order_acquire) > 0; spins++) pause(spins);
  }

 private:
  static constexpr double kCyclesPerPart = 10000;
  static constexpr int kPartsPerThread = 4, kSpins = 4000;

  static void pause(int spins) {
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
    if (spins > kSpins) std::this_thread::yield();
  }

  struct Work {
    // The number of the piece, and below it how many of its parts nobody has taken: a part that is taken keeps the piece
    // from ending, so that what describes it is read by those alone who took one.
    std::atomic<uint64_t> ticket{0};
    std::atomic<int64_t> left{0};  // parts that are not done
    std::atomic<bool> over{false};
    void (*call)(const void*, int64_t, int64_t) = nullptr;
    const void* body = nullptr;
    int64_t units = 0, parts = 0;

    // Does a part, if there is one.
    bool take() {
      uint64_t seen = ticket.load(std::memory_order_acquire);
      do {
        if ((seen & 0xffffffff) == 0) return false;
      } while (!ticket.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel, std::memory_order_acquire));
      const int64_t part = parts - static_cast<int64_t>(seen & 0xffffffff);
      call(body, units * part / parts, units * (part + 1) / parts);
      left.fetch_sub(1, std::memory_order_release);
      return true;
    }
  };

  // Asks for helpers, once there is work for them.
  void gather() {
    if (work_) return;
    work_ = std::make_shared<Work>();
    for (int i = 1; i < threads_; i++)
      workers_->Schedule([work = work_] {
        for (int spins = 0; !work->over.load(std::memory_order_acquire); spins++)
          if (work->take())
            spins = 0;
          else
            pause(spins);
      });
  }

  tsl::thread::ThreadPool* workers_;
  int threads_;
  uint64_t piece_ = 0;
  std::shared_ptr<Work> work_;
};

}  // namespace latent
