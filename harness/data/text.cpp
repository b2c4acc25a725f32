#include "harness/data/text.h"

#include "harness/core/error.h"

#include <cstdint>
#include <fstream>
#include <string>

#include <fmt/format.h>

namespace bench::harness {
namespace {

/// Bytes of the character that begins with `lead`, 0 if none does.
std::size_t length_of(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

/// The second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF.
bool second_fits(std::uint8_t lead, std::uint8_t second) {
  const std::uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return low <= second && second <= high;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = length_of(byte(i));
    if (length == 0 || i + length > text.size()) return i;
    if (length > 1 && !second_fits(byte(i), byte(i + 1))) return i;
    for (std::size_t j = 2; j < length; ++j)
      if ((byte(i + j) & 0xC0) != 0x80) return i;
    i += length;
  }
  return std::string_view::npos;
}

void check_text(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file))
    throw Error(file.string(), "no such text", "scripts/corpus builds data/processed/");
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file)) throw Error(file.string(), "is not a readable file");
  std::int64_t line_number = 0;
  std::size_t begin = 0;
  bool any = false;
  for (std::string line; std::getline(in, line); begin += line.size() + 1) {
    ++line_number;
    any = any || !line.empty();
    const std::size_t bad = find_invalid_utf8(line);
    if (bad != std::string_view::npos)
      throw Error(fmt::format("{}:{}:{}", file.string(), line_number, bad + 1),
                  fmt::format("is not UTF-8 (byte {} of the file)", begin + bad),
                  "convert it, for example with iconv -f CP949 -t UTF-8");
  }
  if (!any) throw Error(file.string(), "the text is empty", "one paragraph a line is expected");
}

}  // namespace bench::harness
