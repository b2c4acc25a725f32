// A suite: YAML, then a --set behind each zero byte.
#include "harness/running/suite.h"

#include "tests/fuzz/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  const auto parts = parts_of(data, size);
  const std::string file = folder().write("suite.yaml", parts[0]).string();
  return take_or_refuse([&] {
    const auto suite = bench::harness::read_suite(file, {parts.begin() + 1, parts.end()});
    claim(!suite.cases.empty(), "a suite that runs nothing is none");
  });
}
