#include "harness/core/numbers.h"
#include "harness/host/conditions.h"
#include "harness/host/environment.h"
#include "harness/host/proc_files.h"

#include <filesystem>
#include <fstream>
#include <link.h>
#include <map>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

namespace bench::harness {
namespace {

std::string value_of(const std::filesystem::path& file, const std::string& name) {
  return named_value(file, name).value_or("");
}

std::string first_line(const std::filesystem::path& file) { return value_of(file, ""); }

/// The number that a text begins with.
double number_or(const std::string& text, double otherwise) {
  const auto number = leading_number(text);
  return number ? number->value : otherwise;
}

/// Only machines with a battery tell their power source.
std::string power_source() {
  std::error_code none;
  std::string source;
  for (const auto& supply : std::filesystem::directory_iterator("/sys/class/power_supply", none)) {
    if (first_line(supply.path() / "type") == "Battery") source = source.empty() ? "battery" : source;
    if (first_line(supply.path() / "online") == "1") source = "ac";
  }
  return source;
}

}  // namespace

void describe_host(Environment& e) {
  e.model = first_line("/sys/devices/virtual/dmi/id/product_name");
  e.system = value_of("/etc/os-release", "PRETTY_NAME");
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGE_SIZE);
  if (pages > 0 && page_bytes > 0) e.memory_bytes = pages * page_bytes;
  e.performance_cores = std::thread::hardware_concurrency();  // all are alike, or the system does not say which are not
  utsname name{};
  if (::uname(&name) == 0) e.kernel = name.release;
  std::string told = value_of("/proc/cpuinfo", "model name");
  // arm64 kernels list the cores without a name. Then only the architecture is known.
  if (told.empty() && !value_of("/proc/cpuinfo", "processor").empty()) told = name.machine;
  e.processor = processor_name(told, name.machine);
}

void read_host_conditions(Conditions& c) {
  std::ifstream stat("/proc/stat");
  std::string cpu;
  double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, soft_irq = 0, stolen = 0;
  if (stat >> cpu >> user >> nice >> system >> idle >> waiting >> irq >> soft_irq >> stolen) {
    const auto ticks_per_s = static_cast<double>(::sysconf(_SC_CLK_TCK));
    c.cpu_busy_s = (user + nice + system + irq + soft_irq) / ticks_per_s;
    c.cpu_stolen_s = stolen / ticks_per_s;
    c.cpu_total_s = c.cpu_busy_s + c.cpu_stolen_s + (idle + waiting) / ticks_per_s;
  }
  c.frequency_mhz = number_or(value_of("/proc/cpuinfo", "cpu MHz"), -1);
  const auto bytes = [](const char* name) { return kilobytes(named_value("/proc/meminfo", name)); };
  if (const auto available = bytes("MemAvailable")) c.memory_available_bytes = static_cast<double>(*available);
  if (const auto swap = bytes("SwapTotal"), unused = bytes("SwapFree"); swap && unused)
    c.swap_used_bytes = static_cast<double>(*swap - *unused);
  // some avg10=0.00 avg60=0.00 ...
  c.memory_pressure = number_or(value_of("/proc/pressure/memory", "some avg10"), -1);
  c.power_source = power_source();
}

std::optional<std::int64_t> last_level_cache_bytes() {
  std::map<std::string, double> instances;  // key: the processors that share an instance
  std::error_code none;
  for (const auto& cpu : std::filesystem::directory_iterator("/sys/devices/system/cpu", none)) {
    const auto cache = cpu.path() / "cache/index3";
    const auto bytes = kilobytes(first_line(cache / "size"));  // "32768K"
    if (bytes && *bytes > 0) instances[first_line(cache / "shared_cpu_list")] = static_cast<double>(*bytes);
  }
  if (instances.empty()) return {};
  double sum = 0;
  for (const auto& [processors, bytes] : instances) sum += bytes;
  return static_cast<std::int64_t>(sum);
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
