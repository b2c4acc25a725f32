#include "harness/environment.h"

#include <mach-o/dyld.h>
#include <sys/sysctl.h>

namespace bench::harness {
namespace {

std::string sysctl_text(const char* name) {
  std::size_t size = 0;
  if (::sysctlbyname(name, nullptr, &size, nullptr, 0) != 0 || size == 0) return "";
  std::string text(size, '\0');
  if (::sysctlbyname(name, text.data(), &size, nullptr, 0) != 0) return "";
  return text.c_str();  // up to the terminating zero that it counts
}

std::int64_t sysctl_number(const char* name) {
  std::int64_t value = 0;  // a 32-bit answer fills the lower half: Macs are little-endian
  std::size_t size = sizeof(value);
  return ::sysctlbyname(name, &value, &size, nullptr, 0) == 0 ? value : 0;
}

}  // namespace

void describe_host(Environment& e) {
  e.processor = sysctl_text("machdep.cpu.brand_string");
  e.model = sysctl_text("hw.model");
  e.system = "macOS " + sysctl_text("kern.osproductversion") + " (" + sysctl_text("kern.osversion") + ")";
  e.kernel = sysctl_text("kern.osrelease");
  e.memory_bytes = sysctl_number("hw.memsize");
  e.performance_cores = sysctl_number("hw.perflevel0.physicalcpu");
}

std::vector<std::string> loaded_libraries() {
  std::vector<std::string> libraries;
  for (std::uint32_t i = 0; i < ::_dyld_image_count(); ++i) libraries.emplace_back(::_dyld_get_image_name(i));
  return libraries;
}

std::filesystem::path own_executable() {
  std::uint32_t size = 0;
  ::_NSGetExecutablePath(nullptr, &size);
  std::string path(size, '\0');
  ::_NSGetExecutablePath(path.data(), &size);
  return std::filesystem::canonical(path.c_str());
}

}  // namespace bench::harness
