// What a program printed, read in every way in which a case may read numbers of it.
#include "harness/cases/read_number.h"
#include "tests/fuzz/entry.h"

#include <cmath>

namespace bench::tests {
namespace {

using namespace harness;

/// The names and places are those of the seeds.
const std::vector<NumberSource>& ways() {
  static const std::vector<NumberSource> all = [] {
    std::vector<NumberSource> read;
    for (const char* way : {"json: /results/0/times", "json: /x", "regex: 'speed: (\\S+) (\\S+)'",
                            "regex: '([0-9.eE+-]+)'", "google_benchmark: BM_x", "hyperfine: 0", "hyperfine: sleep 1",
                            "llama_bench: pp512", "llama_bench: pp8+tg4", "pyperf: x"})
      read.push_back(read_config<NumberSource>(YamlNode::parse(fmt::format("{{metric: speed, {}}}", way), "read")));
    return read;
  }();
  return all;
}

}  // namespace
}  // namespace bench::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  const std::string text = text_of(data, size);
  for (const auto& way : ways())
    for (const char* unit : {"tokens/s", "s", "ns"})
      take_or_refuse([&] {
        const auto samples = read_numbers(way, {.name = "speed", .unit = unit}, text, "output");
        claim(!samples.empty(), "there are samples");
        for (const double sample : samples) claim(std::isfinite(sample), "a sample is a number");
      });
  return 0;
}
