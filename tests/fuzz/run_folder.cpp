// The folder of a training run: training_state.json, and behind a zero byte metrics.jsonl.
#include "harness/training/run_directory.h"
#include "tests/fuzz/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  const auto parts = parts_of(data, size);
  folder().write("step-000001/training_state.json", parts[0]);
  folder().write("metrics.jsonl", parts.size() > 1 ? parts[1] : "");
  const bench::harness::RunDirectory run(folder().path());
  take_or_refuse([&] { run.latest(); });
  take_or_refuse([&] { run.rewind(1); });
  return take_or_refuse(
      [&] { bench::harness::check_same_run(folder().path() / "step-000001", {{"model", {{"hidden_size", 8}}}}); });
}
