// A SentencePiece model, and what is done with one.
#include "harness/data/tokenizer.h"

#include "tests/fuzz/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  const auto file = folder().write("tokenizer.model", text_of(data, size));
  return take_or_refuse([&] {
    const bench::harness::Tokenizer tokenizer(file);
    tokenizer.decode(tokenizer.encode("대한민국은 민주공화국이다. hello \xF0\x9F\x98\x80 123\n\t"));
    tokenizer.check_fits(4096);
    tokenizer.decode({0, 1, 2, 3, tokenizer.vocab_size() - 1});
  });
}
