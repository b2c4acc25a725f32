#include "harness/cost/forward_work.h"

#include "harness/cases/cases.h"
#include "harness/evaluation/quantization_cost.h"
#include "harness/planning/plan.h"
#include "tests/model/tiny.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

using model::tiny_config;

TEST(ForwardWork, NewKeysAndValuesAreWrittenAndThenReadWithTheCache) {
  const ForwardWork work = forward_work(tiny_config(), {2, 3, 5, 4});
  const double of_a_token = 2 * 3 * 2 * 8 * 4;  // keys and values, layers, heads, head_dim, bytes
  EXPECT_DOUBLE_EQ(work.kv_bytes, 2 * of_a_token * ((5 + 3) + 3));
}

TEST(ForwardWork, EachWeightIsReadOnceWhateverTheBatch) {
  model::ModelConfig config = tiny_config();
  for (const double batch : {1.0, 8.0})
    EXPECT_DOUBLE_EQ(forward_work(config, {batch, 1, 5, 2}).weight_bytes,
                     2 * static_cast<double>(parameter_count(config)));  // tied: the embedding is read as the head
  config.tie_embeddings = false;
  EXPECT_DOUBLE_EQ(forward_work(config, {1, 1, 5, 2}).weight_bytes,
                   2 * static_cast<double>(parameter_count_without_embedding(config)));
}

TEST(ForwardWork, ADecodeStepIsTheMeanOfAllThatAreTimed) {
  constexpr std::int64_t kPrompt = 7, kNew = 6;
  double flops = 0, bytes = 0;
  for (std::int64_t i = 1; i < kNew; ++i) {
    const ForwardWork step = forward_work(tiny_config(), {2, 1, static_cast<double>(kPrompt + i - 1), 4});
    flops += step.flops / (kNew - 1);
    bytes += step.bytes() / (kNew - 1);
  }
  const ForwardWork mean = decode_step_work(tiny_config(), 2, kPrompt, kNew, 4);
  EXPECT_DOUBLE_EQ(mean.flops, flops);
  EXPECT_DOUBLE_EQ(mean.bytes(), bytes);
}

TEST(ForwardWork, QuantisedWeightsAreCountedAsTheModelStoresThem) {
  for (const bool tied : {true, false})
    for (const char* quantize : {"int8", "int4"}) {
      model::ModelConfig config = tiny_config();
      config.tie_embeddings = tied;
      model::LanguageModel model = model::tiny_model(config);
      model->quantize(quantization_named(quantize, "test"));
      EXPECT_DOUBLE_EQ(decode_step_work(config, 2, 7, 6, 4, quantize).weight_bytes,
                       static_cast<double>(model->decode_weight_bytes()))
          << quantize;
    }
}

TEST(ForwardWork, ThePlanAndTheCasesCountAlike) {
  const Suite suite = read_suite(BENCH_SOURCE_DIR "/suites/ci.yaml");
  const Plan plan = make_plan(suite, ceilings_of(read_machine("m4-max-40", "test")));
  for (const auto& spec : suite.cases) {
    if (spec.type != "decode" && spec.type != "prefill") continue;
    Context context{spec.name, find_device("cpu", ""), 0, {}};  // no time: one piece of work
    context.measuring.probe = false;
    Record record;
    find_case_type(spec.type)->run(spec.config, context, record);
    ASSERT_EQ(record.status, Record::Status::kOk) << record.reason;
    EXPECT_DOUBLE_EQ(record.fact("work_flops"), plan.find(spec.name)->flops);
    EXPECT_DOUBLE_EQ(record.fact("work_bytes"), plan.find(spec.name)->bytes);
  }
}

}  // namespace
}  // namespace bench::harness
