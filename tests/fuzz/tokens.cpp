// A file of token ids.
#include "harness/data/tokens.h"

#include "tests/fuzz/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  const auto file = folder().write("ids.bin", text_of(data, size));
  return take_or_refuse([&] {
    const auto tokens = bench::harness::raw_tokens(file, 4096);
    claim(tokens.size() > 0, "there are tokens");
    claim(tokens.ids.min().item<std::int64_t>() >= 0 && tokens.ids.max().item<std::int64_t>() < 4096, "ids fit");
  });
}
