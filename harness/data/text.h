#pragma once

#include "harness/core/utf8.h"

#include <filesystem>
#include <istream>
#include <string>

namespace bench::harness {

/// The next line without its end, which is LF or CRLF: both mean the same text. False at the end of the file.
bool next_line(std::istream& in, std::string& line);

/// Throws Error with line and byte unless the file is a non-empty text in UTF-8.
void check_text(const std::filesystem::path& file);

}  // namespace bench::harness
