#pragma once

#include <filesystem>
#include <string_view>

namespace bench::harness {

/// The offset of the first byte that is not well-formed UTF-8 (RFC 3629), or npos.
std::size_t find_invalid_utf8(std::string_view text);

/// Throws Error with line and byte unless the file is a non-empty text in UTF-8.
void check_text(const std::filesystem::path& file);

}  // namespace bench::harness
