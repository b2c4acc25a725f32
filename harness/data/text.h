#pragma once

#include "harness/core/utf8.h"

#include <filesystem>
#include <fstream>
#include <istream>
#include <string>

namespace bench::harness {

/// Opens a text. Throws Error if it can't be read; otherwise an unreadable text would pass for an empty one.
std::ifstream open_text(const std::filesystem::path& file);

/// Reads the next line, without its end. The end is LF or CRLF: both mean the same text. Returns false at the end of
/// the file. Throws Error at `where` if reading fails; otherwise the text would pass for a shorter one.
bool next_line(std::istream& in, std::string& line, const std::string& where);

/// Throws Error with line and byte unless the file is a non-empty text in UTF-8.
void check_text(const std::filesystem::path& file);

}  // namespace bench::harness
