#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace bench::harness {

/// Returns the character that begins at `position`, and moves `position` behind it. Returns U+FFFD for bytes that are
/// not UTF-8.
char32_t next_character(std::string_view text, std::size_t& position);

/// Columns that a terminal needs for the text: Hangul and other wide characters take two.
std::size_t columns(std::string_view text);
/// The text if it fits, else its beginning and "...".
std::string shortened(const std::string& text, std::size_t width);
/// The text with spaces behind it, or before it.
std::string padded(const std::string& text, std::size_t width);
std::string padded_left(const std::string& text, std::size_t width);
/// Cuts the text into lines of at most `width` columns: at white space, and within words that are longer than a line.
std::vector<std::string> wrap(const std::string& text, std::size_t width);
/// The width that a terminal is assumed to have, in columns.
inline constexpr std::size_t kTerminalColumns = 100;
/// Writes the text in lines that fit a terminal, each behind `indent` spaces.
void write_wrapped(const std::string& text, std::size_t indent, std::ostream& out);
/// The text with control characters replaced by spaces: they would break a line, or a terminal.
std::string one_line(const std::string& text);

/// "12,345".
std::string grouped(std::uint64_t number);
/// "1 process", "3 processes".
std::string plural(std::uint64_t number, const std::string& noun);

/// The text in a form that may stand anywhere in HTML and XML, attributes included. Characters that neither may hold
/// become U+FFFD.
std::string escaped(std::string_view text);

}  // namespace bench::harness
