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

struct Xxh128::State {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> xxh{XXH3_createState(), &XXH3_freeState};
};

Xxh128::Xxh128() : state_(std::make_unique<State>()) { XXH3_128bits_reset(state_->xxh.get()); }
Xxh128::~Xxh128() = default;
void Xxh128::update(std::string_view bytes) { XXH3_128bits_update(state_->xxh.get(), bytes.data(), bytes.size()); }
std::string Xxh128::hex() const { return harness::hex(XXH3_128bits_digest(state_->xxh.get())); }

std::string xxh128_file(const std::filesystem::path& path) {
  Xxh128 hash;
  read_file_in_pieces(path, [&](std::string_view piece) { hash.update(piece); });
  return hash.hex();
}

}  // namespace bench::harness
