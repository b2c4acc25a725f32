#include "harness/host/proc_files.h"

#include "harness/core/numbers.h"

#include <fstream>

namespace bench::harness {

std::optional<std::string> named_value(std::istream& in, const std::string& name) {
  constexpr const char* kSeparators = " \t:=\"";
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(name)) continue;
    const std::string rest = line.substr(name.size());
    const auto begin = rest.find_first_not_of(kSeparators);
    if (!name.empty() && begin == 0) continue;  // a longer name
    return begin == std::string::npos ? "" : rest.substr(begin, rest.find_last_not_of(" \t\"") - begin + 1);
  }
  return {};
}

std::optional<std::string> named_value(const std::filesystem::path& file, const std::string& name) {
  std::ifstream in(file);
  return named_value(in, name);
}

std::optional<std::int64_t> kilobytes(const std::optional<std::string>& value) {
  const auto kib = value ? leading_number(*value) : std::nullopt;
  if (!kib || !(kib->value >= 0 && kib->value < 0x1p53)) return {};
  return 1024 * static_cast<std::int64_t>(kib->value);
}

MemoryReading proc_memory(const std::filesystem::path& file, const std::string& name) {
  const auto bytes = kilobytes(named_value(file, name));
  if (bytes && *bytes > 0) return {*bytes, ""};
  return MemoryReading::unread("no " + name + " in " + file.string());
}

}  // namespace bench::harness
