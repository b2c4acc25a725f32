#include "harness/core/error.h"
#include "harness/selftest/comparison.h"
#include "harness/selftest/probes.h"

#include <algorithm>

#include <fmt/format.h>

namespace bench::harness {
namespace {

std::int64_t read(MemoryReading (*ask)(), const char* what) {
  const MemoryReading reading = ask();
  if (!reading) throw Error::at_run_time(what, reading.missing);
  return reading.bytes;
}

}  // namespace

Finding probe_memory_statistics(const Device& device) {
  // More than a process has lying about when it has just begun: memory that it holds already needs no asking.
  constexpr std::int64_t kTaken = std::int64_t{256} << 20;
  device.synchronize();
  const std::int64_t before = read(device.current_bytes, "the memory in use");
  const torch::Tensor taken =
      torch::ones({kTaken / 4}, torch::dtype(torch::kFloat32).device(device.torch_device()));  // written, so it's real
  device.synchronize();
  const std::int64_t during = read(device.current_bytes, "the memory in use");
  const std::int64_t peak = read(device.peak_bytes, "the peak memory");
  Worst worst;
  // What other threads give back meanwhile, and what was lying about all the same.
  const double tolerance = 0.25 * static_cast<double>(kTaken);
  const auto missing = [&](std::int64_t rise) { return static_cast<double>(std::max<std::int64_t>(0, kTaken - rise)); };
  worst.add(missing(during - before), tolerance,
            fmt::format("bytes in use rose by {} when {} were taken", during - before, kTaken));
  worst.add(missing(peak - before), tolerance,
            fmt::format("the peak is {} bytes above what was in use before {} more were taken", peak - before, kTaken));
  return worst.finding();
}

}  // namespace bench::harness
