#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bench::harness {

/// The offset of the first byte that is not well-formed UTF-8 (RFC 3629), or npos.
std::size_t find_invalid_utf8(std::string_view text);

/// Whether the text has characters that steer terminals or break lines: C0, DEL and C1, except for those in `allowed`.
bool has_control_characters(std::string_view text, std::string_view allowed = "");

/// The shell command that converts `file`, which is not UTF-8, to UTF-8. It converts from UTF-16 or UTF-32 if the
/// beginning of the file says so, else from CP949, in which Korean files that aren't UTF-8 are written.
std::string conversion_hint(std::string_view beginning, const std::string& file);

/// The text without a byte order mark. Throws Error at file:line:column where it is not UTF-8, or has a zero byte.
std::string_view require_utf8(std::string_view text, const std::string& file);

}  // namespace bench::harness
