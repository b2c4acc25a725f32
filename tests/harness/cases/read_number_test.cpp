#include "harness/cases/read_number.h"

#include "harness/core/error.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

using Samples = std::vector<double>;

Samples read(const std::string& source, const std::string& text, const std::string& unit = "tokens/s") {
  const auto way = read_config<NumberSource>(YamlNode::parse("{metric: speed, " + source + "}", "read"));
  return read_numbers(way, {.name = "speed", .unit = unit, .better = "higher"}, text, "output");
}

std::string error_of(const std::string& source, const std::string& text, const std::string& unit = "tokens/s") {
  try {
    read(source, text, unit);
  } catch (const Error& e) {
    return e.where() + ": " + e.message() + " | " + e.hint();
  }
  return "";
}

TEST(ReadNumbers, ByJsonPointer) {
  const std::string json = R"({"results": [{"speed": 12.5}, {"speed": [1, 2]}]})";
  EXPECT_EQ(read("json: /results/0/speed", json), Samples{12.5});
  EXPECT_EQ(read("json: /results/1/speed", json), (Samples{1, 2}));
  EXPECT_EQ(error_of("json: /results/2/speed", json).find("output: has nothing at /results/2/speed for speed: {"), 0u);
  EXPECT_EQ(error_of("json: /results", json).find("output: speed is no number: {\"speed\":12.5}"), 0u);
  EXPECT_EQ(error_of("json: /x", "12 tokens").find("output: byte "), 0u);
  EXPECT_EQ(error_of("json: /x", R"({"x": null})").find("output: speed is no number: null"), 0u);
  EXPECT_THROW(read("json: x", "{}"), Error);
  EXPECT_THROW(read("json: /a~2", "{}"), Error);
}

TEST(ReadNumbers, ByRegularExpression) {
  const std::string text = "load 3 s\nspeed: 12.5 tokens/s\nspeed: 13 tokens/s\n";
  EXPECT_EQ(read("regex: 'speed: ([0-9.]+)'", text), (Samples{12.5, 13}));
  EXPECT_EQ(read("regex: 'speed: ([0-9.]+) (\\S+)'", text), (Samples{12.5, 13}));
  EXPECT_EQ(error_of("regex: 'speed: ([0-9.]+) (\\S+)'", text, "tokens/min")
                .find("output: speed is in tokens/s, not in tokens/min: 'speed: 12.5 tokens/s'"),
            0u);
  EXPECT_EQ(error_of("regex: 'pace: ([0-9.]+)'", text),
            "output: has nothing that 'pace: ([0-9.]+)' matches, for speed | it begins with 'load 3 s'");
  EXPECT_EQ(error_of("regex: 'pace: (.*)'", ""),
            "output: has nothing that 'pace: (.*)' matches, for speed | it is empty");
  EXPECT_EQ(error_of("regex: 'speed: (.*)'", "speed: fast").find("output: speed is no number: 'fast'"), 0u);
  EXPECT_EQ(error_of("regex: 'speed: (.*)'", "speed: nan").find("output: speed is no finite number"), 0u);
  EXPECT_EQ(error_of("regex: 'speed: (.*)'", "speed: 1e999").find("output: speed is no finite number"), 0u);
  for (const char* wrong : {"regex: '('", "regex: 'no group'", "regex: '(a)(b)(c)'"})
    EXPECT_THROW(read(wrong, text), Error) << wrong;
}

TEST(ReadNumbers, OfToolsThatWriteReports) {
  EXPECT_EQ(read("google_benchmark: BM_x",
                 R"({"benchmarks": [{"name": "BM_x", "run_type": "iteration", "real_time": 1500, "time_unit": "us"},
                     {"name": "BM_x", "run_type": "aggregate", "real_time": 1, "time_unit": "us"}]})",
                 "ms"),
            Samples{1.5});
  const std::string hyperfine =
      R"({"results": [{"command": "a", "times": [0.5, 0.25]}, {"command": "b", "times": [2]}]})";
  EXPECT_EQ(read("hyperfine: a", hyperfine, "s"), (Samples{0.5, 0.25}));
  EXPECT_EQ(read("hyperfine: 1", hyperfine, "ms"), Samples{2000});
  const std::string llama = R"([{"n_prompt": 512, "n_gen": 0, "samples_ts": [100, 101]},
                                {"n_prompt": 0, "n_gen": 64, "samples_ts": [9.5]}])";
  EXPECT_EQ(read("llama_bench: pp512", llama), (Samples{100, 101}));
  EXPECT_EQ(read("llama_bench: tg64", llama), Samples{9.5});
  const std::string pyperf = R"({"metadata": {"unit": "second"}, "benchmarks": [{"metadata": {"name": "x"},
                                 "runs": [{"metadata": {}}, {"values": [0.1, 0.2]}]}]})";
  EXPECT_EQ(read("pyperf: x", pyperf, "ms"), (Samples{100, 200}));
}

TEST(ReadNumbers, OfAToolsReportThatIsAnotherOneSayWhatWasExpected) {
  EXPECT_EQ(error_of("llama_bench: tg128", R"([{"n_prompt": 512, "n_gen": 0, "samples_ts": [1]}])"),
            "output: has no test 'tg128' | known: pp512");
  EXPECT_EQ(error_of("llama_bench: pp512", R"([{"n_prompt": 512, "n_gen": 0, "samples_ts": [1]}])", "ms")
                .find("output: holds tokens/s, but speed is in ms"),
            0u);
  EXPECT_EQ(error_of("hyperfine: a", R"({"results": [{"command": "a", "times": [1]}]})")
                .find("output: holds times, but speed is in tokens/s"),
            0u);
  for (const char* tool : {"google_benchmark: x", "hyperfine: x", "llama_bench: x", "pyperf: x"})
    for (const char* other : {"{}", "[]", "[1]", R"({"benchmarks": 3, "results": 4})", "null"})
      EXPECT_THROW(read(tool, other, "s"), Error) << tool << " of " << other;
}

TEST(ReadNumbers, ATimeThatIsInfiniteInTheMetricsUnitIsRefused) {
  const std::string text = R"({"results": [{"command": "a", "times": [1e308]}]})";
  EXPECT_EQ(read("hyperfine: a", text, "s"), Samples{1e308});
  EXPECT_EQ(error_of("hyperfine: a", text, "ns").find("output: speed is no finite number: '{\"results\""), 0u);
}

TEST(ReadNumbers, WhatDidNotWorkOrIsEmptyIsNoSample) {
  EXPECT_EQ(error_of("google_benchmark: BM_x",
                     R"({"benchmarks": [{"name": "BM_x", "error_occurred": true, "real_time": 0}]})", "ms")
                .find("output: benchmark 'BM_x' did not work"),
            0u);
  EXPECT_EQ(error_of("json: /x", R"({"x": []})").find("output: has an empty list for speed"), 0u);
  EXPECT_EQ(error_of("hyperfine: 0", R"({"results": [{"command": "a", "times": []}]})", "s")
                .find("output: has an empty list"),
            0u);
  EXPECT_EQ(
      error_of("llama_bench: pp8",
               R"([{"n_prompt": 8, "n_gen": 0, "samples_ts": [1]}, {"n_prompt": 8, "n_gen": 0, "samples_ts": [2]}])")
          .find("output: has several tests 'pp8'"),
      0u);
}

}  // namespace
}  // namespace bench::harness
