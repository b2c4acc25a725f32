#include "harness/reports/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

/// Ranges that terminals show two columns wide: Hangul, kana, Han, full-width forms, pictographs.
constexpr struct {
  char32_t first, last;
} kWide[] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
             {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};

std::size_t width_of(char32_t c) {
  return std::ranges::any_of(kWide, [&](auto range) { return range.first <= c && c <= range.last; }) ? 2 : 1;
}

/// How many bytes at the beginning fit into `width` columns.
std::size_t bytes_that_fit(std::string_view text, std::size_t width) {
  std::size_t position = 0, used = 0;
  while (position < text.size()) {
    std::size_t next = position;
    used += width_of(next_character(text, next));
    if (used > width) break;
    position = next;
  }
  return position;
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

bool may_stand_in_xml(char32_t c) {
  return c == '\t' || c == '\n' || c == '\r' || (!is_control(c) && c != 0xFFFE && c != 0xFFFF);
}

}  // namespace

char32_t next_character(std::string_view text, std::size_t& position) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(position++);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 && lead <= 0xF4  ? 3
                   : lead >= 0xE0 && lead < 0xF0 ? 2
                   : lead >= 0xC2 && lead < 0xE0 ? 1
                                                 : 0;
  if (more == 0) return kReplacement;
  char32_t c = lead & (0x3F >> more);
  std::size_t next = position;
  for (int i = 0; i < more; ++i, ++next) {
    if (next == text.size() || (byte(next) & 0xC0) != 0x80) return kReplacement;
    c = c << 6 | (byte(next) & 0x3F);
  }
  const bool longer_than_needed = (more == 2 && c < 0x800) || (more == 3 && c < 0x10000);
  if (longer_than_needed || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return kReplacement;
  position = next;
  return c;
}

std::size_t columns(std::string_view text) {
  std::size_t sum = 0;
  for (std::size_t position = 0; position < text.size();) sum += width_of(next_character(text, position));
  return sum;
}

std::string shortened(const std::string& text, std::size_t width) {
  const std::string line = one_line(text);
  return columns(line) <= width ? line : line.substr(0, bytes_that_fit(line, width - 3)) + "...";
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, columns(text)), ' ');
}

std::string padded_left(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, columns(text)), ' ') + text;
}

std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  const std::string flat = one_line(text);
  std::vector<std::string> lines;
  std::string line;
  const auto end_line = [&] {
    if (!line.empty()) lines.push_back(line);
    line.clear();
  };
  for (std::size_t begin = 0; begin < flat.size();) {
    const std::size_t end = std::min(flat.find(' ', begin), flat.size());
    std::string word = flat.substr(begin, end - begin);
    begin = end + 1;
    if (word.empty()) continue;
    if (!line.empty() && columns(line) + 1 + columns(word) > width) end_line();
    while (columns(word) > width) {
      const std::size_t part = bytes_that_fit(word, width);
      lines.push_back(word.substr(0, part));
      word.erase(0, part);
    }
    line += (line.empty() ? "" : " ") + word;
  }
  end_line();
  return lines;
}

void write_wrapped(const std::string& text, std::size_t indent, std::ostream& out) {
  for (const auto& line : wrap(text, kTerminalColumns - indent)) out << std::string(indent, ' ') << line << "\n";
}

std::string one_line(const std::string& text) {
  std::string line;
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t begin = position;
    if (is_control(next_character(text, position)))
      line += ' ';
    else
      line.append(text, begin, position - begin);
  }
  return line;
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string plural(std::uint64_t number, const std::string& noun) {
  return grouped(number) + " " + noun + (number == 1 ? "" : noun.ends_with("s") ? "es" : "s");
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t begin = position;
    const char32_t c = next_character(text, position);
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else if (c == '\'')
      safe += "&#39;";
    else if (c == kReplacement || !may_stand_in_xml(c))
      safe += "\xEF\xBF\xBD";
    else
      safe += text.substr(begin, position - begin);
  }
  return safe;
}

}  // namespace bench::harness
