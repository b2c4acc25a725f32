#include "model/config.h"

#include <limits>

#include <gtest/gtest.h>

namespace bench::model {
namespace {

std::string error_of(const ModelConfig& config) {
  std::string first;
  config.validate([&](bool ok, const std::string& key, const std::string&, const std::string&) {
    if (!ok && first.empty()) first = key;
  });
  return first;
}

TEST(ModelConfig, CountsAreThePlans) {
  EXPECT_EQ(parameter_count(ModelConfig::medium()), 397'722'624);
  EXPECT_EQ(parameter_count_without_embedding(ModelConfig::medium()), 364'954'624);
  EXPECT_EQ(parameter_count(ModelConfig::large()), 870'262'272);
  EXPECT_EQ(parameter_count_without_embedding(ModelConfig::large()), 821'110'272);
  EXPECT_EQ(ModelConfig::medium().head_dim(), 64);
  EXPECT_EQ(ModelConfig::large().head_dim(), 64);
}

TEST(ModelConfig, FlopsAreSixPerParameterAndTokenPlusAttention) {
  const double medium = training_flops_per_token(ModelConfig::medium(), 2048);
  const double products = 6.0 * 397'722'624;
  // 24 layers x (q k^T and p v) x 2 FLOPs x 1024 x 1024.5 keys, three times for forward and backward.
  EXPECT_NEAR(medium - products, 3.0 * 24 * 4 * 1024 * 1024.5, products * 1e-4);
}

TEST(ModelConfig, ImpossibleShapesAreNamed) {
  const auto with = [](auto change) {
    ModelConfig config;
    change(config);
    return error_of(config);
  };
  EXPECT_EQ(error_of({}), "");
  EXPECT_EQ(with([](auto& c) { c.num_kv_heads = 5; }), "num_kv_heads");
  EXPECT_EQ(with([](auto& c) { c.num_heads = 3; }), "num_heads");
  EXPECT_EQ(with([](auto& c) { c.vocab_size = 0; }), "vocab_size");
  EXPECT_EQ(with([](auto& c) { c.dropout = 1; }), "dropout");
  EXPECT_EQ(with([](auto& c) { c.eos_token_id = 32000; }), "eos_token_id");
}

TEST(ModelConfig, SizesThatOverflowAreRefused) {
  const auto with = [](auto change) {
    ModelConfig config;
    change(config);
    return error_of(config);
  };
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(with([](auto& c) { c.vocab_size = kHuge; }), "vocab_size");
  EXPECT_EQ(with([](auto& c) { c.num_layers = kHuge; }), "num_layers");
  EXPECT_EQ(with([](auto& c) { c.max_seq_length = std::int64_t{1} << 31; }), "max_seq_length");
  EXPECT_EQ(with([](auto& c) { c.max_seq_length = (std::int64_t{1} << 31) - 1; }), "");
  // Each size for itself would do; 2^53 parameters and more are no whole number in JSON any more.
  EXPECT_EQ(with([](auto& c) { c.hidden_size = c.intermediate_size = std::int64_t{1} << 30; }), "num_layers");
  EXPECT_EQ(with([](auto& c) { c.hidden_size = 1 << 18, c.num_layers = 1000; }), "");  // 10^14
}

}  // namespace
}  // namespace bench::model
