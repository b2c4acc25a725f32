#define XXH_INLINE_ALL
#include "harness/core/hash.h"

#include "harness/core/files.h"

#include <memory>

#include <fmt/format.h>
#include <xxhash.h>

namespace bench::harness {
namespace {

std::string hex(XXH128_hash_t hash) { return fmt::format("{:016x}{:016x}", hash.high64, hash.low64); }

}  // namespace

std::string xxh128(std::string_view bytes) { return hex(XXH3_128bits(bytes.data(), bytes.size())); }

std::string xxh128_file(const std::filesystem::path& path) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  XXH3_128bits_reset(state.get());
  read_file_in_pieces(path,
                      [&](std::string_view piece) { XXH3_128bits_update(state.get(), piece.data(), piece.size()); });
  return hex(XXH3_128bits_digest(state.get()));
}

}  // namespace bench::harness
