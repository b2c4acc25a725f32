#pragma once

#include "harness/core/utf8.h"

#include <filesystem>
#include <fstream>
#include <istream>
#include <string>

namespace bench::harness {

/// Opens a text. Throws Error if it can't be read: it would be taken for an empty one.
std::ifstream open_text(const std::filesystem::path& file);

/// The next line without its end, which is LF or CRLF: both mean the same text. False at the end of the file. Throws
/// Error at `where` if reading fails, or the text would be taken for a shorter one.
bool next_line(std::istream& in, std::string& line, const std::string& where);

/// Throws Error with line and byte unless the file is a non-empty text in UTF-8.
void check_text(const std::filesystem::path& file);

}  // namespace bench::harness
