#include "harness/environment.h"

#include <fstream>
#include <link.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace bench::harness {
namespace {

/// The rest of the first line that begins with `name`, without separators and quotes.
std::string line_value(const char* file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(name, 0) != 0) continue;
    const auto begin = line.find_first_not_of(" \t:=\"", name.size());
    const auto end = line.find_last_not_of(" \t\"");
    return begin == std::string::npos ? "" : line.substr(begin, end - begin + 1);
  }
  return "";
}

}  // namespace

void describe_host(Environment& e) {
  e.processor = line_value("/proc/cpuinfo", "model name");
  e.model = line_value("/sys/devices/virtual/dmi/id/product_name", "");
  e.system = line_value("/etc/os-release", "PRETTY_NAME");
  e.memory_bytes = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGE_SIZE);
  utsname name{};
  if (::uname(&name) == 0) {
    e.kernel = name.release;
    if (e.processor.empty()) e.processor = name.machine;  // arm64 kernels give no model name
  }
}

std::vector<std::string> loaded_libraries() {
  std::vector<std::string> libraries;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        static_cast<std::vector<std::string>*>(out)->emplace_back(info->dlpi_name);
        return 0;
      },
      &libraries);
  return libraries;
}

std::filesystem::path own_executable() { return std::filesystem::read_symlink("/proc/self/exe"); }

}  // namespace bench::harness
