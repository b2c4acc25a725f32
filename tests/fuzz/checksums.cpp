// The list of a checkpoint's checksums.
#include "harness/checkpoints/checkpoints.h"
#include "tests/fuzz/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  folder().write("config.json", "{}");
  folder().write("model.safetensors", "no tensors");
  folder().write(bench::harness::kChecksumsFile, text_of(data, size));
  return take_or_refuse([&] { bench::harness::verify_checkpoint(folder().path()); });
}
