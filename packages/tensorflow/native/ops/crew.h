// The threads that help with an operation's pieces of work, kept awake from one piece to the next: a step of a decoder, or
// of training a small model, is some hundred pieces, and waking a thread takes as long as a piece.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tensorflow/core/framework/op_kernel.h"

namespace latent {

inline void rest() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

// Units of work that threads take some at a time until none is left. It lives until all who were asked have let it go.
class Piece {
 public:
  template <typename Body>
  Piece(int64_t units, int64_t grain, int helpers, const Body& body)
      : units_(units), grain_(grain), body_(&body), holders_(1 + helpers) {
    call_ = [](const void* given, int64_t begin, int64_t end, int slot) {
      (*static_cast<const Body*>(given))(begin, end, slot);
    };
  }

  // A thread that finds nothing left does not touch the body, which may be gone by then.
  void take(int slot) {
    for (;;) {
      const int64_t begin = next_.fetch_add(grain_);
      if (begin >= units_) return;
      const int64_t end = std::min(units_, begin + grain_);
      call_(body_, begin, end, slot);
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

  void let_go() {
    if (holders_.fetch_sub(1) == 1) delete this;
  }

 private:
  ~Piece() = default;
  static constexpr int kTurns = 2000;  // some ten microseconds, less than to sleep and be woken

  const int64_t units_, grain_;
  const void* const body_;
  void (*call_)(const void*, int64_t, int64_t, int);
  std::atomic<int> holders_;
  std::atomic<int64_t> next_{0}, done_{0};
  std::mutex mutex_;
  std::condition_variable finished_;
};

// Helpers of this process, borrowed from TensorFlow's threads. One who has nothing to do looks out for a piece for a
// while, which spans what Node does between two operations, and then gives its thread back.
class Crew {
 public:
  static constexpr int kMost = 256;

  static Crew& get() {
    static Crew crew;
    return crew;
  }

  // Whether this helper would come at once.
  bool awake(int helper) const { return doors_[helper].load(std::memory_order_relaxed) != nullptr; }

  // Asks a helper, from 1 on, to take part. A piece that it has not looked at yet is done without it.
  void ask(tsl::thread::ThreadPool* threads, int helper, Piece* piece) {
    Piece* before = doors_[helper].exchange(piece);
    if (before == nullptr)
      threads->Schedule([this, helper] { help(helper); });
    else if (before != idle())
      before->let_go();
  }

 private:
  static Piece* idle() { return reinterpret_cast<Piece*>(&idle_); }

  void help(int helper) {
    using Clock = std::chrono::steady_clock;
    auto& door = doors_[helper];
    auto since = Clock::now();
    for (int turn = 0;; turn++) {
      Piece* piece = door.load(std::memory_order_relaxed);
      if (piece != idle()) {
        piece = door.exchange(idle());
        if (piece == idle()) continue;
        piece->take(helper);
        piece->let_go();
        since = Clock::now();
      } else if (turn % kTurnsPerLook == 0 && Clock::now() - since > kPatience) {
        if (door.compare_exchange_strong(piece, nullptr)) return;
        std::this_thread::yield();
      } else {
        rest();
      }
    }
  }

  static constexpr int kTurnsPerLook = 16;
  static constexpr std::chrono::microseconds kPatience{1000};
  static inline char idle_ = 0;

  // Of each helper: null while it is away, idle() while it looks out, or the piece that waits for it.
  std::array<std::atomic<Piece*>, kMost> doors_{};
};

}  // namespace latent
