// configs/ holds exactly the plan's values, and the code's defaults are the plan's medium model and its training.
#include "harness/checkpoints/inference_config.h"
#include "harness/training/training_config.h"
#include "model/config.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

std::string path(const std::string& name) { return std::string(BENCH_SOURCE_DIR) + "/configs/" + name; }
template <class Config>
Config load(const std::string& name) {
  return read_config<Config>(YamlNode::load(path(name)));
}

TEST(Configs, PresetsEqualTheFiles) {
  EXPECT_EQ(to_json(load<model::ModelConfig>("model_medium.yaml")), to_json(model::ModelConfig::medium()));
  EXPECT_EQ(to_json(load<model::ModelConfig>("model_large.yaml")), to_json(model::ModelConfig::large()));
  EXPECT_EQ(to_json(model::ModelConfig{}), to_json(model::ModelConfig::medium()));
}

TEST(Configs, ModelsHaveThePlansValues) {
  const auto large = load<model::ModelConfig>("model_large.yaml");
  EXPECT_EQ(large.hidden_size, 1536);
  EXPECT_EQ(large.num_layers, 24);
  EXPECT_EQ(large.num_heads, 24);
  EXPECT_EQ(large.num_kv_heads, 6);
  EXPECT_EQ(large.intermediate_size, 6144);
  EXPECT_EQ(large.max_seq_length, 2048);
  EXPECT_EQ(large.dropout, 0.1);
  const auto small = load<model::ModelConfig>("model_small.yaml");
  EXPECT_EQ(small.vocab_size, 32000);
  EXPECT_EQ(small.hidden_size, 768);
  EXPECT_EQ(small.num_layers, 12);
  EXPECT_EQ(small.num_heads, 12);
  EXPECT_EQ(small.num_kv_heads, 4);
  EXPECT_EQ(small.intermediate_size, 2048);
  EXPECT_EQ(small.max_seq_length, 1024);
  EXPECT_EQ(small.dropout, 0.0);
}

TEST(Configs, TrainingHasThePlansValues) {
  const Json expected_medium =
      Json::parse(R"({"batch_size":16,"gradient_accumulation_steps":4,"effective_batch_size":64,"max_seq_length":2048,
    "learning_rate":2e-4,"weight_decay":0.1,"max_grad_norm":1.0,"warmup_steps":4000,"max_steps":200000,"lr_scheduler":"cosine","min_lr":2e-5,
    "save_steps":5000,"eval_steps":1000,"logging_steps":100,"output_dir":"checkpoints/medium/","mixed_precision":true,"mixed_dtype":"auto","gradient_checkpointing":false,
    "compile_model":true,"num_workers":8,"pin_memory":true,"persistent_workers":true,"prefetch_factor":4})");
  Json expected_large = expected_medium;
  expected_large.update(Json::parse(
      R"({"batch_size":8,"gradient_accumulation_steps":8,"max_seq_length":1536,"learning_rate":1.5e-4,"warmup_steps":5000,
    "min_lr":1.5e-5,"output_dir":"checkpoints/large/","gradient_checkpointing":true})"));
  const auto medium = load<TrainingConfig>("training_m4max.yaml"),
             large = load<TrainingConfig>("training_m4max_large.yaml");
  EXPECT_EQ(to_json(medium.train), expected_medium);
  EXPECT_EQ(to_json(large.train), expected_large);
  for (const auto* config : {&medium, &large}) {
    EXPECT_EQ(config->seed, 1337);
    EXPECT_EQ(config->device, "mps");
    EXPECT_EQ(config->data.tokenizer_model, "models/tokenizer.model");
    EXPECT_EQ(config->optimizer.betas, (std::vector<double>{0.9, 0.95}));
    EXPECT_EQ(config->optimizer.eps, 1e-8);
    EXPECT_TRUE(config->wandb.enabled);
    EXPECT_EQ(config->wandb.project, "kr-mini-llm");
  }
  EXPECT_EQ(medium.wandb.tags, (std::vector<std::string>{"m4max", "medium", "350m"}));
  EXPECT_EQ(large.wandb.tags, (std::vector<std::string>{"m4max", "large", "800m"}));
  EXPECT_EQ(large.wandb.name, "large-m4max");
}

TEST(Configs, InferenceHasThePlansValues) {
  const auto config = load<InferenceConfig>("inference.yaml");
  EXPECT_EQ(
      to_json(config),
      Json::parse(
          R"({"model":{"checkpoint_path":"checkpoints/medium/final/","device":"mps","compile":true},"generation":{"max_length":512,
    "temperature":0.8,"top_p":0.95,"top_k":50,"repetition_penalty":1.1,"do_sample":true,"batch_size":4,"use_cache":true}})"));
}

template <class Config>
void expect_round_trip(const std::string& name) {
  const Json json = to_json(load<Config>(name));
  EXPECT_EQ(to_json(read_config<Config>(YamlNode::parse(json.dump(), "json"))), json) << name;
}

TEST(Configs, EveryFileSurvivesARoundTrip) {
  for (const char* name : {"model_small.yaml", "model_medium.yaml", "model_large.yaml", "model_quick.yaml"})
    expect_round_trip<model::ModelConfig>(name);
  for (const char* name : {"training.yaml", "training_m4max.yaml", "training_m4max_large.yaml", "training_quick.yaml"})
    expect_round_trip<TrainingConfig>(name);
  expect_round_trip<InferenceConfig>("inference.yaml");
}

}  // namespace
}  // namespace bench::harness
