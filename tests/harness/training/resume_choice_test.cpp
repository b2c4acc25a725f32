// Which checkpoint a run goes on from, and with which config.
#include "harness/training/resume.h"
#include "tests/harness/training/few_steps.h"

#include <cmath>
#include <csignal>
#include <sstream>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;
using model::tiny_config;
using tests::TemporaryFolder;

/// A run that has made all its six steps: step-000002, step-000004 and final.
class FinishedRun : public testing::Test {
 protected:
  FinishedRun() : config_(few_steps(folder_.path() / "run")) {
    config_.train.save_steps = 2;
    config_.train.logging_steps = 1;
    train(tiny_config(), config_, synthetic(), cpu(), {.quiet = true});
    effective_ = read_training_state(checkpoint("final")).config;
  }
  fs::path checkpoint(const std::string& name) const { return folder_.path() / "run" / name; }
  ResumePoint newest(bool accept_changes = false) {
    return load_newest_whole(RunDirectory(folder_.path() / "run"), effective_, accept_changes, model_);
  }
  TrainSummary resume(TrainOptions options = {}) {
    options.resume = options.quiet = true;
    return train(tiny_config(), config_, synthetic(), cpu(), options);
  }
  std::string trained() const { return read_file(checkpoint("final/model.safetensors")); }

  TemporaryFolder folder_;
  TrainingConfig config_;
  Json effective_;
  model::LanguageModel model_ = new_model(tiny_config(), torch::kFloat32, cpu(), 1);
};

void flip_a_bit(const fs::path& file) {
  std::string bytes = read_file(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file_atomically(file, bytes);
}

/// Changes the number of the step, so that only the checksum can tell.
void change_a_digit(const fs::path& file) {
  std::string text = read_file(file);
  const auto digit = text.find_first_of("0123456789", text.find("\"step\""));
  text[digit] = text[digit] == '9' ? '8' : static_cast<char>(text[digit] + 1);
  write_file_atomically(file, text);
}

TEST_F(FinishedRun, GoesOnFromItsEnd) {
  const ResumePoint point = newest();
  EXPECT_EQ(point.checkpoint, checkpoint("final"));
  EXPECT_EQ(point.step, 6);
  EXPECT_TRUE(point.left_out.empty());
  EXPECT_TRUE(point.changes.empty());
}

TEST_F(FinishedRun, WhateverIsDamagedInTheNewestTheOneBeforeServes) {
  const fs::path whole = folder_.path() / "whole";
  fs::copy(checkpoint("final"), whole);
  const std::vector<std::pair<std::string, std::function<void(const fs::path&)>>> damages{
      {"is not JSON", [](const fs::path& at) { write_file_atomically(at / "training_state.json", ""); }},
      {"is not a training state", [](const fs::path& at) { write_file_atomically(at / "training_state.json", "[1]"); }},
      {"holds no optimizer state", [](const fs::path& at) { fs::remove(at / "training_state.json"); }},
      {"training_state.json: is damaged", [](const fs::path& at) { change_a_digit(at / "training_state.json"); }},
      {"model.safetensors: is damaged", [](const fs::path& at) { flip_a_bit(at / "model.safetensors"); }},
      {"training_state.safetensors", [](const fs::path& at) { fs::remove(at / "training_state.safetensors"); }},
      {"checksums.xxh128: is missing", [](const fs::path& at) { fs::remove(at / "checksums.xxh128"); }},
      {"", [](const fs::path& at) { fs::remove_all(at), fs::create_directory(at); }},
  };
  for (const auto& [what, damage] : damages) {
    fs::remove_all(checkpoint("final"));
    fs::copy(whole, checkpoint("final"));
    damage(checkpoint("final"));
    const ResumePoint point = newest();
    EXPECT_EQ(point.checkpoint, checkpoint("step-000004")) << what;
    ASSERT_EQ(point.left_out.size(), 1u) << what;
    EXPECT_TRUE(has(point.left_out[0], checkpoint("final").string())) << point.left_out[0];
    EXPECT_TRUE(has(point.left_out[0], what)) << point.left_out[0] << " instead of " << what;
  }
}

TEST_F(FinishedRun, AStateOfNestedListsIsDamagedHoweverDeepTheyAre) {
  const std::string lists = std::string(100'000, '[') + std::string(100'000, ']');
  for (const std::string key : {"step", "config"}) {
    write_file_atomically(checkpoint("final/training_state.json"), "{\"" + key + "\": " + lists + "}");
    const ResumePoint point = newest();
    EXPECT_EQ(point.checkpoint, checkpoint("step-000004"));
    ASSERT_EQ(point.left_out.size(), 1u);
    EXPECT_TRUE(has(point.left_out[0], "has more than 100 objects and lists within each other")) << point.left_out[0];
  }
}

TEST_F(FinishedRun, LinesOfTheLogThatSayNoStepAreDropped) {
  const std::string first = "{\"step\":1,\"loss\":2}\n";
  const std::string deep = "{\"step\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}\n";
  write_file_atomically(checkpoint("metrics.jsonl"),
                        first + deep + "[1]\n{\"step\":1.5}\n{\"step\":9}\n{\"loss\":2}\n{\"step\":1,");
  RunDirectory(folder_.path() / "run").rewind(2);
  EXPECT_EQ(read_file(checkpoint("metrics.jsonl")), first);
}

TEST_F(FinishedRun, AnOlderDamagedCheckpointBlocksNothing) {
  write_file_atomically(checkpoint("step-000002/training_state.json"), "");
  const ResumePoint point = newest();
  EXPECT_EQ(point.checkpoint, checkpoint("final"));
  EXPECT_TRUE(point.left_out.empty());
}

TEST_F(FinishedRun, WithoutAWholeCheckpointAllReasonsAreSaid) {
  for (const char* name : {"step-000002", "step-000004", "final"}) flip_a_bit(checkpoint(name) / "model.safetensors");
  const std::string said = error_of([&] { newest(); });
  for (const char* name : {"step-000002", "step-000004", "final"}) EXPECT_TRUE(has(said, name)) << said;
}

TEST_F(FinishedRun, ACheckpointOfWeightsOrMomentsThatAreNotFiniteIsLeftOut) {
  const TrainingData data = synthetic();
  const Batches batches(data.train, 4, 16, 1);
  for (const bool weights : {true, false}) {
    Trainer trainer(new_model(tiny_config(), torch::kFloat32, cpu(), 1), config_, {4, false, torch::kFloat32, true},
                    cpu(), batches, 8);
    const torch::NoGradGuard no_grad;
    const auto moments = trainer.optimizer().state();
    (weights ? trainer.model()->parameters()[0] : moments.begin()->second).view({-1})[3] = weights ? NAN : INFINITY;
    save_training_checkpoint(trainer, checkpoint("step-000008"), nullptr, effective_);
    const ResumePoint point = newest();
    EXPECT_EQ(point.checkpoint, checkpoint("final"));
    ASSERT_EQ(point.left_out.size(), 1u);
    EXPECT_TRUE(has(point.left_out[0], "is not finite")) << point.left_out[0];
  }
}

TEST_F(FinishedRun, ChangesAreListedAndNeedToBeAccepted) {
  effective_["training"]["train"]["learning_rate"] = 0.001;
  effective_["training"]["optimizer"]["betas"] = {0.8, 0.9};
  effective_["training"]["train"]["lr_scheduler"] = "constant";
  const std::vector<std::string> lines{"train.learning_rate 0.005 -> 0.001", "train.lr_scheduler cosine -> constant",
                                       "optimizer.betas [0.9,0.95] -> [0.8,0.9]"};
  const std::string said = error_of([&] { newest(); });
  for (const auto& line : lines) EXPECT_TRUE(has(said, line)) << said;
  EXPECT_TRUE(has(said, "--accept-changes")) << said;
  EXPECT_EQ(newest(/*accept_changes=*/true).changes, lines);
}

void for_each_value(Json& json, const std::string& name, const std::function<void(Json&, const std::string&)>& visit) {
  if (!json.is_object()) return visit(json, name);
  for (auto& [key, value] : json.items()) for_each_value(value, name + "/" + key, visit);
}

TEST_F(FinishedRun, NoValueOfTheConfigChangesUnseen) {
  const TrainingState state = read_training_state(checkpoint("final"));
  const auto is_another_run = [](const std::string& name) {
    return name.starts_with("/model") || name.starts_with("/inputs") || name.starts_with("/training/data") ||
           name == "/training/seed" || name == "/training/train/effective_batch_size" ||
           name == "/training/train/max_seq_length";
  };
  Json now = effective_;
  for_each_value(now, "", [&](Json& value, const std::string& name) {
    const Json before = std::exchange(value, "another");
    if (name.starts_with("/execution"))
      EXPECT_EQ(execution_changes(state, now).size(), 1u) << name;
    else if (is_another_run(name))
      EXPECT_TRUE(has(error_of([&] { changes_since(state, "c", now); }), "the run had another")) << name;
    else
      EXPECT_EQ(changes_since(state, "c", now).size(), name == "/training/train/output_dir" ? 0u : 1u) << name;
    value = before;
  });
}

TEST_F(FinishedRun, AnotherMicroBatchIsSaidAndNeedsNoAcceptance) {
  effective_["execution"]["micro_batch_size"] = 1;
  EXPECT_EQ(newest().changes, std::vector<std::string>{"micro_batch_size 4 -> 1"});
}

TEST_F(FinishedRun, AKeyNewerThanTheCheckpointIsNoChangeAtItsDefault) {
  TrainingState state = read_training_state(checkpoint("final"));
  state.config["training"]["train"].erase("prefetch_factor");
  EXPECT_TRUE(changes_since(state, "c", effective_).empty());
  effective_["training"]["train"]["prefetch_factor"] = 7;
  EXPECT_EQ(changes_since(state, "c", effective_), std::vector<std::string>{"train.prefetch_factor 4 -> 7"});
}

TEST_F(FinishedRun, FromAnOlderCheckpointItComesToTheSameBitsAndLogsEachStepOnce) {
  const std::string uninterrupted = trained();
  flip_a_bit(checkpoint("final/training_state.safetensors"));
  EXPECT_EQ(resume().steps, 6);
  EXPECT_EQ(trained(), uninterrupted);
  std::istringstream lines(read_file(checkpoint("metrics.jsonl")));
  std::vector<std::int64_t> steps;
  for (std::string line; std::getline(lines, line);)
    if (const Json json = Json::parse(line); json.contains("loss")) steps.push_back(json["step"]);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
}

TEST_F(FinishedRun, ItsLastCheckpointIsOneOfManyOnceItHasGoneOn) {
  config_.train.max_steps = 8;
  TrainOptions options{.accept_changes = true};
  options.on_step = [&](const StepResult& result, const auto&, double) {
    EXPECT_TRUE(fs::exists(checkpoint("final")));  // until there is another
    if (result.step == 7) std::raise(SIGTERM);
  };
  const TrainSummary summary = resume(options);
  EXPECT_EQ(summary.signal, SIGTERM);
  EXPECT_EQ(summary.steps, 7);
  EXPECT_EQ(summary.steps_due, 8);
  EXPECT_TRUE(std::isnan(summary.valid_perplexity));
  EXPECT_EQ(summary.checkpoint, checkpoint("step-000007"));
  EXPECT_FALSE(fs::exists(checkpoint("final")));
  EXPECT_EQ(read_training_state(checkpoint("step-000006")).step, 6);  // what was final
  EXPECT_EQ(newest(true).checkpoint, checkpoint("step-000007"));
  resume();
  EXPECT_EQ(read_training_state(checkpoint("final")).step, 8);
}

TEST_F(FinishedRun, ALastCheckpointTakesThePlaceOfItsStepsOnlyIfItIsKnownToBeWhole) {
  const RunDirectory directory(folder_.path() / "run");
  fs::copy(checkpoint("step-000004"), checkpoint("step-000006"));
  EXPECT_EQ(directory.retire_final(checkpoint("step-000006")), checkpoint("step-000006"));
  EXPECT_EQ(read_training_state(checkpoint("step-000006")).step, 4);
  fs::rename(checkpoint("step-000006"), checkpoint("final"));
  write_file_atomically(checkpoint("step-000004/training_state.json"), "");
  EXPECT_EQ(directory.retire_final(checkpoint("final")), checkpoint("step-000004"));
  EXPECT_EQ(read_training_state(checkpoint("step-000004")).step, 4);
  EXPECT_FALSE(fs::exists(checkpoint("final")));
}

TEST_F(FinishedRun, ASignalBetweenSavesIsTheSameBitsAfterAll) {
  const std::string uninterrupted = trained();
  for (const int signal : {SIGINT, SIGHUP}) {
    TrainOptions options{.overwrite = true, .quiet = true};
    options.on_step = [&](const StepResult& result, const auto&, double) {
      if (result.step == 3) std::raise(signal);
    };
    const TrainSummary summary = train(tiny_config(), config_, synthetic(), cpu(), options);
    EXPECT_EQ(summary.signal, signal);
    EXPECT_EQ(summary.checkpoint, checkpoint("step-000003"));
    EXPECT_FALSE(fs::exists(checkpoint("final")));
    EXPECT_EQ(resume().signal, 0);
    EXPECT_EQ(trained(), uninterrupted);
  }
}

TEST_F(FinishedRun, ASignalDuringTheLastStepInterruptsNothing) {
  TrainOptions options{.overwrite = true, .quiet = true};
  options.on_step = [&](const StepResult& result, const auto&, double) {
    if (result.step == 6) std::raise(SIGTERM);
  };
  const TrainSummary summary = train(tiny_config(), config_, synthetic(), cpu(), options);
  EXPECT_EQ(summary.signal, 0);
  EXPECT_EQ(summary.checkpoint, checkpoint("final"));
}

TEST_F(FinishedRun, WhenItsTimeIsUpItSaysHowManyStepsWereDue) {
  const TrainSummary summary =
      train(tiny_config(), config_, synthetic(), cpu(), {.overwrite = true, .budget_s = 0, .quiet = true});
  EXPECT_EQ(summary.steps, 1);
  EXPECT_EQ(summary.steps_due, 6);
  EXPECT_EQ(summary.signal, 0);
  EXPECT_EQ(summary.checkpoint, checkpoint("final"));
}

}  // namespace
}  // namespace bench::harness
