#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace bench::harness {

/// XXH3 128-bit hash as 32 hex digits; `xxhsum -H2` prints the same. Finds damage, not malice.
std::string xxh128(std::string_view bytes);

/// Computes the same hash as xxh128() for bytes that come in pieces.
class Xxh128 {
 public:
  Xxh128();
  ~Xxh128();
  void update(std::string_view bytes);
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The xxh128() of a file's content, which is read in pieces. Throws Error if it can't be read.
std::string xxh128_file(const std::filesystem::path& path);

}  // namespace bench::harness
