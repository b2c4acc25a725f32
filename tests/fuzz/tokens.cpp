// A file of token ids, .npy or raw; the same bytes as what was kept of a text's tokens.
#include "harness/data/token_cache.h"
#include "harness/data/token_files.h"
#include "tests/fuzz/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  using namespace bench::harness;
  const auto file = folder().write("ids", text_of(data, size));
  take_or_refuse([&] { read_token_cache(file, {"text", "tokenizer", {}}); });
  for (const char* dtype : {"auto", "uint16", "int32", "int64"})
    take_or_refuse([&] {
      const auto tokens = token_file(file, 4096, dtype);
      claim(tokens.size() > 0, "there are tokens");
      claim(tokens.ids.min().item<std::int64_t>() >= 0 && tokens.ids.max().item<std::int64_t>() < 4096, "ids fit");
    });
  return 0;
}
