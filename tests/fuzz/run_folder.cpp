// The folder of a training run: training_state.json, and behind a zero byte metrics.jsonl.
#include "harness/training/resume.h"
#include "tests/fuzz/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  using namespace bench::harness;
  const auto parts = parts_of(data, size);
  folder().write("step-000001/training_state.json", parts[0]);
  folder().write("metrics.jsonl", parts.size() > 1 ? parts[1] : "");
  const RunDirectory run(folder().path());
  take_or_refuse([&] { run.rewind(1); });
  return take_or_refuse([&] {
    claim(run.checkpoints().size() == 1, "a checkpoint is found, whatever its state is");
    const Json config = {
        {"model", {{"hidden_size", 8}}},
        {"training", {{"seed", 1}, {"data", ""}, {"train", {{"effective_batch_size", 4}, {"max_seq_length", 8}}}}},
        {"inputs", {{"text", "a"}, {"tokenizer", "b"}}}};
    changes_since(read_training_state(run.checkpoints()[0]), run.checkpoints()[0], config);
  });
}
