#include "harness/host/memory_reading.h"

#include <fstream>
#include <sstream>

namespace bench::harness {

MemoryReading proc_memory(const std::filesystem::path& file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(name + ":", 0) != 0) continue;
    std::int64_t kib = 0;
    if (std::istringstream(line.substr(name.size() + 1)) >> kib && kib > 0) return {kib * 1024, ""};
  }
  return MemoryReading::unread("no " + name + " in " + file.string());
}

}  // namespace bench::harness
