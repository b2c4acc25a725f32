#include "harness/data/token_cache.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"

#include <fstream>
#include <string_view>

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kTrailerBytes = 256;

/// The last bytes of the file. They come after the ids, so that the ids can be mapped from the file's beginning.
std::string trailer(const TokenOrigin& origin, std::int64_t tokens, const std::string& ids_hash) {
  std::string text =
      fmt::format("bench-tokens/1\ntext {}\ntokenizer {}\nbegin {}\ntokens {}\nids {}\n", origin.text_hash,
                  origin.tokenizer_hash, origin.begin_id ? std::to_string(*origin.begin_id) : "none", tokens, ids_hash);
  text.resize(kTrailerBytes, ' ');
  return text;
}

std::string last_bytes(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes(kTrailerBytes, '\0');
  in.seekg(-kTrailerBytes, std::ios::end);
  in.read(bytes.data(), kTrailerBytes);
  return in ? bytes : "";
}

template <class T>
std::string_view bytes_of(const T* ids, std::size_t count) {
  return {reinterpret_cast<const char*>(ids), count * sizeof(T)};
}

}  // namespace

fs::path token_cache_path(const fs::path& text, const TokenOrigin& origin) {
  const std::string begin = origin.begin_id ? fmt::format(" {}", *origin.begin_id) : "";
  return fmt::format("{}.{}.tokens", text.string(),
                     xxh128(origin.text_hash + origin.tokenizer_hash + begin).substr(0, 12));
}

std::optional<torch::Tensor> read_token_cache(const fs::path& file, const TokenOrigin& origin) {
  std::error_code failed;
  const auto size = static_cast<std::int64_t>(fs::file_size(file, failed));
  if (failed || size <= kTrailerBytes || (size - kTrailerBytes) % 4 != 0) return {};
  const std::string stored = last_bytes(file);
  if (stored.empty()) return {};  // the file can't be read
  const std::int64_t tokens = (size - kTrailerBytes) / 4;
  const torch::Tensor ids = torch::from_file(file.string(), /*shared=*/false, tokens, torch::kInt32);
  const std::string hash = xxh128(bytes_of(ids.const_data_ptr<std::int32_t>(), static_cast<std::size_t>(tokens)));
  if (stored != trailer(origin, tokens, hash)) return {};
  return ids;
}

void write_token_cache(const fs::path& file, const TokenOrigin& origin,
                       const std::function<void(const TokenSink&)>& produce) {
  write_file_atomically(file, [&](std::ostream& out) {
    Xxh128 hash;
    std::int64_t tokens = 0;
    produce([&](std::span<const std::int32_t> ids) {
      const std::string_view bytes = bytes_of(ids.data(), ids.size());
      out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      hash.update(bytes);
      tokens += static_cast<std::int64_t>(ids.size());
    });
    out << trailer(origin, tokens, hash.hex());
  });
}

}  // namespace bench::harness
