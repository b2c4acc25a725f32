#define XXH_INLINE_ALL
#include "harness/core/hash.h"

#include "harness/core/error.h"

#include <fstream>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <xxhash.h>

namespace bench::harness {
namespace {

std::string hex(XXH128_hash_t hash) { return fmt::format("{:016x}{:016x}", hash.high64, hash.low64); }

}  // namespace

std::string xxh128(std::string_view bytes) { return hex(XXH3_128bits(bytes.data(), bytes.size())); }

std::string xxh128_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(path.string(), "cannot be opened");
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::vector<char> piece(1 << 20);
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    XXH3_128bits_update(state.get(), piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw Error::at_run_time(path.string(), "cannot be read to its end");
  return hex(XXH3_128bits_digest(state.get()));
}

}  // namespace bench::harness
