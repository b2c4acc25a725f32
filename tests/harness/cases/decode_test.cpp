#include "harness/cases/decode.h"

#include "harness/core/clock.h"
#include "harness/cost/launches.h"
#include "model/path.h"
#include "tests/harness/cases/recorded.h"
#include "tests/model/tiny.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// A tiny model in fp32 that makes so many tokens behind a prompt of three.
DecodeConfig tiny_decode(std::int64_t new_tokens) {
  DecodeConfig config;
  config.source.model.emplace().value = model::tiny_config();
  config.source.dtype = "fp32";
  config.prompt_tokens = 3;
  config.new_tokens = new_tokens;
  return config;
}

TEST(DecodeCase, EndsAfterWholeRoundsOnceTheRecordSaysEnough) {
  DecodeConfig config = tiny_decode(7);
  Context context{"decode", find_device("cpu", "test"), 100, {}};
  context.measuring.end_s = now_s() + 100;
  context.measuring.block_s = 0;  // one token is a block, so that "enough" comes in the middle of a round
  context.measuring.probe = false;
  context.measuring.enough = [](const Record& r) { return r.samples("decode_step_time_s").size() % 6 == 2; };
  const Record record = tests::recorded(run_decode, config, context);
  const std::size_t rounds = record.samples("first_token_time_s").size();
  EXPECT_EQ(record.samples("cold_decode_step_time_s").size(), 6u);
  EXPECT_EQ(record.samples("decode_step_time_s").size(), 6 * rounds);
  EXPECT_GE(rounds, 4u);
  EXPECT_LT(rounds, 100u);  // the 100 s would have had thousands
}

TEST(DecodeCase, WhatIsCountedOfTheFirstRoundIsLeftOutUnlessItIsWhole) {
  DecodeConfig config = tiny_decode(7);
  Context context{"decode", find_device("cpu", "test"), 0, {}};  // time for the first token only
  context.measuring.probe = false;
  const Record cut_short = tests::recorded(run_decode, config, context);
  EXPECT_EQ(cut_short.samples("decode_step_time_s").size(), 1u);
  EXPECT_EQ(cut_short.partial(), "there was time for 2 of the 7 new tokens: what was counted of them is left out");
  context.measuring.end_s = now_s() + 100;
  config.rounds = 1;
  const Record whole = tests::recorded(run_decode, config, context);
  EXPECT_EQ(whole.partial(), "");
  for (const char* fact : {"checksum", "operator_calls", "matmul_flops", "allocated_bytes"}) {
    EXPECT_FALSE(cut_short.facts.contains(fact)) << fact;
    EXPECT_TRUE(whole.facts.contains(fact)) << fact;
  }
}

TEST(DecodeCase, SaysOverHowManyTokensItsQuantizedWeightsWereCompared) {
  DecodeConfig config = tiny_decode(2);
  config.source.quantize = "int8";
  Context context{"decode", find_device("cpu", "test"), 0, {}};
  context.measuring.probe = false;
  const Record record = tests::recorded(run_decode, config, context);
  EXPECT_EQ(record.fact("quantization_tokens"), 1023);  // all but the first of what the synthetic language gives
  EXPECT_EQ(record.compared_too_few(), "");
}

TEST(DecodeCase, OnAGpusPathLaunchesOfATokenAreCountedAndFourBitsAreSkipped) {
  const model::AssumedPath portable(model::Path::kPortable);
  DecodeConfig config = tiny_decode(7);
  Context context{"decode", find_device("portable", "test"), 0, {}};
  context.measuring.probe = false;
  const Record counted = tests::recorded(run_decode, config, context);
  EXPECT_EQ(counted.fact("device_launches"), static_cast<double>(decode_launches(model::tiny_config()).with_operators));
  EXPECT_EQ(counted.fact("device_reads"), 0);
  config.source.quantize = "int4";
  const Record skipped = tests::recorded(run_decode, config, context);
  EXPECT_EQ(skipped.status, Record::Status::kSkipped);
  EXPECT_NE(skipped.reason.find("4 bits"), std::string::npos) << skipped.reason;
}

}  // namespace
}  // namespace bench::harness
