#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace bench::harness {

/// XXH3 128-bit hash as 32 hex digits; `xxhsum -H2` prints the same. Finds damage, not malice.
std::string xxh128(std::string_view bytes);

/// The same of a file's content, read in pieces. Throws Error if it can't be read.
std::string xxh128_file(const std::filesystem::path& path);

}  // namespace bench::harness
