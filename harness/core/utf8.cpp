#include "harness/core/utf8.h"

#include "harness/core/error.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace bench::harness {
namespace {

using namespace std::string_view_literals;

/// The number of bytes of the character that begins with `lead`; 0 if no character does.
std::size_t length_of(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

/// Checks the second byte. Its range excludes overlong forms, surrogates and everything beyond U+10FFFF.
bool second_fits(std::uint8_t lead, std::uint8_t second) {
  const std::uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return low <= second && second <= high;
}

/// The beginnings of texts in the other encodings of Unicode, the longer marks first. Without a byte order mark, the
/// zero byte of the first character tells the encoding.
constexpr struct {
  std::string_view mark;
  const char* encoding;
} kMarks[] = {
    {"\xFF\xFE\0\0"sv, "UTF-32"}, {"\0\0\xFE\xFF"sv, "UTF-32"}, {"\xFF\xFE"sv, "UTF-16"}, {"\xFE\xFF"sv, "UTF-16"}};

const char* other_unicode(std::string_view text) {
  for (const auto& [mark, encoding] : kMarks)
    if (text.starts_with(mark)) return encoding;
  if (text.size() < 2) return nullptr;
  return text[0] == '\0' ? "UTF-16BE" : text[1] == '\0' ? "UTF-16LE" : nullptr;
}

Error error_at(std::string_view text, std::size_t offset, const std::string& file, const std::string& what) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t column = offset - (before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1) + 1;
  return Error(fmt::format("{}:{}:{}", file, line, column), what, conversion_hint(text, file));
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

bool has_control_characters(std::string_view text, std::string_view allowed) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<std::uint8_t>(text[i]);
    if ((c < 0x20 || c == 0x7F) && allowed.find(text[i]) == std::string_view::npos) return true;
    if (c == 0xC2 && i + 1 < text.size() && static_cast<std::uint8_t>(text[i + 1]) < 0xA0) return true;  // C1
  }
  return false;
}

std::string conversion_hint(std::string_view beginning, const std::string& file) {
  if (const char* encoding = other_unicode(beginning))
    return fmt::format("it is {}; convert it: iconv -f {} -t UTF-8 {} > NEW", encoding, encoding, file);
  return fmt::format("if it is Korean in CP949 (EUC-KR), convert it: iconv -f CP949 -t UTF-8 {} > NEW", file);
}

std::string_view require_utf8(std::string_view text, const std::string& file) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos)
    throw error_at(text, bad, file, fmt::format("is not UTF-8 (byte {} of the file)", bad));
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
    throw error_at(text, zero, file, fmt::format("is not a text in UTF-8: it has a zero byte (byte {})", zero));
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

}  // namespace bench::harness
