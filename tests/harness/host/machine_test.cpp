#include "harness/host/machine.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Machine, EveryFileIsReadAndEveryNumberHasASource) {
  const auto names = machine_names();
  EXPECT_GE(names.size(), 6u);
  for (const auto& name : names) {
    const Machine machine = read_machine(name, "test");
    EXPECT_EQ(machine.name, name);
    const Json json = to_json(machine);
    EXPECT_EQ(to_json(read_config<Machine>(YamlNode::parse(json.dump(), name))), json) << name;
  }
}

TEST(Machine, M4Max) {
  const Machine machine = read_machine("m4-max-40", "test");
  EXPECT_EQ(machine.match, "Apple M4 Max");
  EXPECT_DOUBLE_EQ(machine.memory_gb_per_s.value, 546);
  EXPECT_NEAR(machine.rates("fp32").flops_per_s(), 13.8e12, 0.05e12);
  EXPECT_NEAR(machine.rates("fp16").flops_per_s(), 14.8e12, 0.05e12);
  EXPECT_NEAR(machine.rates("bf16").flops_per_s(), 13.2e12, 0.05e12);
  EXPECT_NEAR(machine.fp32_tflops.large.value, 12, 0.2);
  EXPECT_DOUBLE_EQ(machine.fp32_tflops.on_paper.value, 18.4);
  EXPECT_DOUBLE_EQ(read_machine("m4-max-32", "test").memory_gb_per_s.value, 410);
}

TEST(Machine, AnUnknownNameListsTheKnownAndTheNearest) {
  try {
    read_machine("m4max40", "--machine");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), "--machine");
    EXPECT_NE(e.hint().find("did you mean 'm4-max-40'?"), std::string::npos) << e.hint();
    EXPECT_NE(e.hint().find("h100-sxm"), std::string::npos) << e.hint();
  }
  EXPECT_THROW(read_machine("../model_medium", "--machine"), Error);
}

TEST(Machine, ANumberWithoutASourceIsAnError) {
  Json json = to_json(read_machine("h100-sxm", "test"));
  json["memory_gb_per_s"]["source"] = "";
  EXPECT_THROW(read_config<Machine>(YamlNode::parse(json.dump(), "json")), Error);
}

TEST(Machine, TheCostOfALaunchIsThreeFiguresInOrderOrNone) {
  const Json known = to_json(read_machine("m4-max-40", "test"));
  const auto read = [&](const char* key, double value) {
    Json json = known;
    json["launch_us"][key]["value"] = value;
    return read_config<Machine>(YamlNode::parse(json.dump(), "json"));
  };
  EXPECT_TRUE(read("low", 2).launch_us.known());
  EXPECT_THROW(read("low", 0), Error);
  EXPECT_THROW(read("likely", 0), Error);
  EXPECT_THROW(read("likely", 30), Error);  // more than high
  EXPECT_FALSE(read_machine("a100-sxm", "test").launch_us.known());
}

TEST(Machine, WithoutAMeasurementThePaperCounts) {
  const Machine machine = read_machine("a100-sxm", "test");
  EXPECT_FALSE(machine.fp32_tflops.measured());
  EXPECT_DOUBLE_EQ(machine.rates("fp32").flops_per_s(), 19.5e12);
}

}  // namespace
}  // namespace bench::harness
