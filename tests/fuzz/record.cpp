// What two processes tell each other: a case's request, or its record, with all that is computed from one.
#include "harness/isolation/isolated.h"
#include "harness/running/stop_rule.h"
#include "tests/fuzz/entry.h"

#include <cmath>

namespace bench::tests {
namespace {

using namespace harness;

void judge_all(const std::vector<Record>& processes) {
  for (const auto& [metric, estimate] : evaluate_metrics(processes))
    for (const char* kind : {"at_most", "at_least", "below", "above"}) {
      const auto gate = gate_from_json({{"metric", metric->name}, {kind, 1.5}, {"unit", metric->unit}}, "gate");
      const GateResult result = judge(gate, processes, "machine");
      claim(result.verdict != Verdict::kPass || std::isfinite(result.measured.value), "what passes is a number");
    }
}

}  // namespace
}  // namespace bench::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  take_or_refuse([&] {
    const Json json = parse_json(text_of(data, size), "request.json");
    dumped(to_json(request_from_json(json, "request.json")));
  });
  return take_or_refuse([&] {
    const Record record = record_from_json(parse_json(text_of(data, size), "record.json"), "record.json");
    judge_all({record});
    judge_all({record, record});
    dumped(to_json(record));
  });
}
