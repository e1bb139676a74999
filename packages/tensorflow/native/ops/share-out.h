// How an operation's work is shared among TensorFlow's threads: the thread that asks takes part until nothing is left,
// and the others join when they come, so that a late one costs nothing but its help.
#pragma once

#include "crew.h"

namespace latent {

inline tsl::thread::ThreadPool* threads_of(tensorflow::OpKernelContext* context) {
  return context->device()->tensorflow_cpu_worker_threads()->workers;
}

// Runs body(begin, end, slot) over parts of [0, units); no two threads have a slot, which is below NumThreads(), at once.
template <typename Body>
void share_slots(tensorflow::OpKernelContext* context, int64_t units, double cycles_per_unit, const Body& body,
                 int64_t parts_per_thread = 16) {
  if (units == 0) return;
  constexpr double kWorthAsking = 10000, kWorthWaking = 40000, kWorthTaking = 10000;  // cycles
  Crew& crew = Crew::get();
  auto* threads = threads_of(context);
  const auto worth = static_cast<int64_t>(units * cycles_per_unit / (crew.awake(1) ? kWorthAsking : kWorthWaking));
  const int64_t others = std::min<int64_t>({threads->NumThreads() - 1, units - 1, worth, Crew::kMost - 1});
  if (others <= 0) return body(0, units, 0);
  const int64_t even = units / (parts_per_thread * (others + 1)), least = static_cast<int64_t>(kWorthTaking / (cycles_per_unit + 1));
  const int64_t grain = std::max<int64_t>({1, even, std::min(least, units / (others + 1))});
  auto* piece = new Piece(units, grain, static_cast<int>(others), body);
  for (int helper = 1; helper <= others; helper++) crew.ask(threads, helper, piece);
  piece->take(0);
  piece->wait();
  piece->let_go();
}

// Runs body(begin, end) over parts of [0, units). How they are cut depends on the number of threads, what comes out does
// not: see loops.h.
template <typename Body>
void share_out(tensorflow::OpKernelContext* context, int64_t units, double cycles_per_unit, const Body& body) {
  share_slots(context, units, cycles_per_unit, [&](int64_t begin, int64_t end, int) { body(begin, end); });
}

// The same in few long parts, for loops that fetch ahead: what one fetches beyond its part is for another thread.
template <typename Body>
void share_long(tensorflow::OpKernelContext* context, int64_t units, double cycles_per_unit, const Body& body) {
  share_slots(context, units, cycles_per_unit, [&](int64_t begin, int64_t end, int) { body(begin, end); }, 4);
}

}  // namespace latent
