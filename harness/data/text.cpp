#include "harness/data/text.h"

#include "harness/core/error.h"

#include <cstdint>
#include <fstream>
#include <string>

#include <fmt/format.h>

namespace bench::harness {

std::ifstream open_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file)) throw Error(file.string(), "is not a readable file");
  return in;
}

bool next_line(std::istream& in, std::string& line, const std::string& where) {
  if (!std::getline(in, line)) {
    if (in.bad()) throw Error::at_run_time(where, "cannot be read to its end");
    return false;
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

void check_text(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file))
    throw Error(file.string(), "no such text", "scripts/corpus builds data/processed/");
  std::ifstream in = open_text(file);
  std::int64_t line_number = 0;
  std::size_t begin = 0;
  bool any = false;
  for (std::string line; std::getline(in, line); begin += line.size() + 1) {
    ++line_number;
    any = any || !(line.empty() || line == "\r");
    const std::size_t bad = find_invalid_utf8(line);
    if (bad != std::string_view::npos)
      throw Error(fmt::format("{}:{}:{}", file.string(), line_number, bad + 1),
                  fmt::format("is not UTF-8 (byte {} of the file)", begin + bad),
                  conversion_hint(line_number == 1 ? line : "", file.string()));
  }
  if (in.bad()) throw Error::at_run_time(file.string(), "cannot be read to its end");
  if (!any) throw Error(file.string(), "the text is empty", "one paragraph a line is expected");
}

}  // namespace bench::harness
