#include "harness/training/out_of_memory.h"

#include "tests/harness/training/few_steps.h"

#include <new>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

constexpr const char* kFull = "MPS backend out of memory (MPS allocated: 20.0 GiB). Tried to allocate 1.00 GiB";

[[noreturn]] void run_out() { TORCH_CHECK_WITH(OutOfMemoryError, false, kFull); }

/// The processor under another name, on which memory runs out at the given calls of synchronize(): each stopwatch
/// begins and ends with one.
std::int64_t calls = 0, first_failure = 0, failures = 0;
Device device_that_fails(std::int64_t from, std::int64_t count) {
  Device device = cpu();
  device.name = "full";
  calls = 0, first_failure = from, failures = count;
  device.synchronize = [] {
    const std::int64_t call = calls++;
    if (call >= first_failure && call < first_failure + failures) run_out();
  };
  return device;
}

TEST(OutOfMemory, IsKnownByItsClassOrItsMessage) {
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  EXPECT_TRUE(is_out_of_memory(std::runtime_error(kFull)));  // the allocator for MPS throws no class of its own
  EXPECT_TRUE(is_out_of_memory(std::runtime_error(
      "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you "
      "tried to allocate 4 bytes. Error code 12 (Cannot allocate memory)")));
  EXPECT_FALSE(is_out_of_memory(std::runtime_error("mat1 and mat2 shapes cannot be multiplied")));
  EXPECT_FALSE(is_out_of_memory(Error("data", "no space left on the disk")));
  try {
    run_out();
  } catch (const std::exception& error) {
    EXPECT_TRUE(is_out_of_memory(error));
  }
}

TEST(OutOfMemory, OfTheProcessorIsAnErrorLikeThatOfADevice) {
  const std::string error = error_of([] {
    train_within_memory({.micro_batch_size = 1}, few_steps("").train, cpu(), [](const Execution&, bool&) {
      torch::empty({std::int64_t{1} << 60}, torch::kUInt8);  // an exbibyte
    });
  });
  EXPECT_TRUE(has(error, "can't allocate memory: you tried to allocate 1152921504606846976 bytes")) << error;
}

TEST(OutOfMemory, ASmallerMicroBatchDividesTheEffectiveBatch) {
  EXPECT_EQ(smaller_micro_batch(8, 64), 4);
  EXPECT_EQ(smaller_micro_batch(12, 12), 6);
  EXPECT_EQ(smaller_micro_batch(3, 12), 2);
  EXPECT_EQ(smaller_micro_batch(7, 7), 1);
  EXPECT_EQ(smaller_micro_batch(1, 64), std::nullopt);
}

std::int64_t emptied = 0;

TEST(OutOfMemory, TriesSmallerMicroBatchesUntilOneFitsAndEmptiesTheCacheBetween) {
  TrainConfig config;
  config.effective_batch_size = 16;
  config.max_seq_length = 32;
  Device device = cpu();
  emptied = 0;
  device.empty_cache = [] { ++emptied; };
  std::vector<std::int64_t> tried;
  const FittedExecution fitted =
      train_within_memory({.micro_batch_size = 16}, config, device, [&](const Execution& execution, bool&) {
        tried.push_back(execution.micro_batch_size);
        if (execution.micro_batch_size > 4) run_out();
      });
  EXPECT_EQ(tried, (std::vector<std::int64_t>{16, 8, 4}));
  EXPECT_EQ(emptied, 2);
  EXPECT_EQ(fitted.execution.micro_batch_size, 4);
  EXPECT_EQ(fitted.note, fmt::format("micro-batch 16 x 32 did not fit ({}); 4 was used", kFull));
}

TEST(OutOfMemory, OtherErrorsAndAMicroBatchOfOneArePassedOn) {
  const TrainConfig config = few_steps("").train;
  EXPECT_THROW(train_within_memory({.micro_batch_size = 4}, config, cpu(),
                                   [](const Execution&, bool&) { throw std::logic_error("wrong"); }),
               std::logic_error);
  const std::string error = error_of(
      [&] { train_within_memory({.micro_batch_size = 1}, config, cpu(), [](const Execution&, bool&) { run_out(); }); });
  EXPECT_TRUE(has(error, "micro-batch of 1 x 16 tokens: memory ran out, and there is no smaller one")) << error;
  EXPECT_TRUE(has(error, "gradient_checkpointing: true")) << error;
}

TEST(OutOfMemory, ARunThatDoesNotFitBeginsAnewWithHalfTheMicroBatchAsIfItHadBeenAskedFor) {
  const tests::TemporaryFolder folder;
  const auto run = [&](const char* name, const Device& device, std::int64_t micro_batch_size) {
    const TrainingConfig config = few_steps(folder.path() / name);
    return train(model::tiny_config(), config, synthetic(), device,
                 {.execution = execution_for(config, device, micro_batch_size, ""), .quiet = true});
  };
  const TrainSummary asked = run("asked", cpu(), 2);
  const TrainSummary fitted = run("fitted", device_that_fails(1, 1), 4);  // when the first micro-batch is done
  EXPECT_EQ(asked.fitted.note, "");
  EXPECT_EQ(fitted.fitted.execution.micro_batch_size, 2);
  EXPECT_TRUE(has(fitted.fitted.note, "micro-batch 4 x 16 did not fit")) << fitted.fitted.note;
  EXPECT_EQ(fitted.steps, 6);
  EXPECT_EQ(read_file(fitted.checkpoint / "model.safetensors"), read_file(asked.checkpoint / "model.safetensors"));
}

TEST(OutOfMemory, ARunInAFolderThatHoldsAnotherReplacesItNotEvenAfterAFailure) {
  const tests::TemporaryFolder folder;
  const TrainingConfig config = few_steps(folder.path() / "run");
  const TrainOptions once{.max_steps = 1, .quiet = true};
  train(model::tiny_config(), config, synthetic(), cpu(), once);
  const std::string error =
      error_of([&] { train(model::tiny_config(), config, synthetic(), device_that_fails(1, 1), once); });
  EXPECT_TRUE(has(error, "already holds a run")) << error;
}

TEST(OutOfMemory, AfterTheFirstStepItIsAnErrorThatSaysWhatToDo) {
  const tests::TemporaryFolder folder;
  const TrainingConfig config = few_steps(folder.path() / "run");
  const std::string later = error_of([&] {  // a step synchronizes four times
    train(model::tiny_config(), config, synthetic(), device_that_fails(5, 1), {.max_steps = 2, .quiet = true});
  });
  EXPECT_TRUE(has(later, "micro-batch of 4 x 16 tokens: memory ran out in the middle of a run")) << later;
  EXPECT_TRUE(has(later, "--resume --micro-batch-size 2")) << later;
}

TEST(OutOfMemory, ARunThatIsResumedTriesSmallerMicroBatchesAsWell) {
  const tests::TemporaryFolder folder;
  const TrainingConfig config = few_steps(folder.path() / "run");
  train(model::tiny_config(), config, synthetic(), cpu(), {.max_steps = 2, .quiet = true});
  const TrainSummary summary =
      train(model::tiny_config(), config, synthetic(), device_that_fails(1, 1), {.resume = true, .quiet = true});
  EXPECT_EQ(summary.fitted.execution.micro_batch_size, 2);
  EXPECT_GT(summary.steps, 2);
}

}  // namespace
}  // namespace bench::harness
