// A safetensors file; an input that begins with { gets the length of its header, which ends at a zero byte, before it.
#include "model/safetensors.h"

#include "tests/fuzz/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  std::string bytes = text_of(data, size);
  if (bytes.starts_with("{")) {
    const std::size_t header = std::min(bytes.find('\0'), bytes.size());
    if (header < bytes.size()) bytes.erase(header, 1);
    std::string length(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header >> (8 * i));
    bytes.insert(0, length);
  }
  const auto file = folder().write("model.safetensors", bytes);
  return take_or_refuse([&] {
    std::size_t total = 0;
    for (const auto& [name, tensor] : bench::model::read_safetensors(file)) {
      const auto whole = tensor.contiguous();
      const auto* begin = static_cast<const std::uint8_t*>(whole.const_data_ptr());
      for (std::size_t i = 0; i < whole.nbytes(); ++i) total += begin[i];  // every byte lies within the file
    }
    claim(total <= 255 * bytes.size(), "tensors are no larger than their file");
  });
}
