#pragma once

#include "harness/core/fields.h"
#include "harness/judging/declared_metric.h"

#include <string>
#include <vector>

namespace bench::harness {

/// Where a number stands in what a program printed or wrote. It is one of
///
///     {metric: tokens_per_s, json: /results/0/speed}        a JSON pointer to a number, or to a list of numbers
///     {metric: tokens_per_s, regex: "speed: ([0-9.]+)"}     its first group; a second one must be the unit
///     {metric: time_s, hyperfine: 0}                        which of a tool's results, by its name or place
struct NumberSource {
  std::string metric, file, json, regex, google_benchmark, hyperfine, llama_bench, pyperf;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("metric", self.metric, "one that the case declares in its metrics:");
    visit("file", self.file, "that the program writes, removed before each run; empty: its stdout");
    visit("json", self.json, "JSON pointer to a number or a list of numbers, such as /results/0/speed");
    visit("regex", self.regex,
          "as Perl has them; each match is a sample: its first group, and the second, if any, is the unit");
    visit("google_benchmark", self.google_benchmark, "name of a benchmark in a --benchmark_format=json report");
    visit("hyperfine", self.hyperfine, "command, or its place from 0 on, in an --export-json report");
    visit("llama_bench", self.llama_bench, "test such as pp512 or tg128 in an -o json report");
    visit("pyperf", self.pyperf, "name of a benchmark in a pyperf JSON file");
  }
  void validate(const Require& require) const;
};

/// Returns the samples of the metric that the text holds, in the metric's unit. Throws Error at `where` (the file, or
/// whose output it is) for a number that isn't there, is not finite or has another unit; the error shows what was read.
std::vector<double> read_numbers(const NumberSource& source, const DeclaredMetric& metric, const std::string& text,
                                 const std::string& where);

}  // namespace bench::harness
