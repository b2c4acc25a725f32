#include "harness/host/conditions.h"
#include "harness/host/environment.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <link.h>
#include <map>
#include <sys/utsname.h>
#include <thread>
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

/// The number that a text begins with.
double number_or(const std::string& text, double otherwise) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return end == text.c_str() ? otherwise : value;
}

/// Only machines with a battery tell.
std::string power_source() {
  std::error_code none;
  std::string source;
  for (const auto& supply : std::filesystem::directory_iterator("/sys/class/power_supply", none)) {
    if (line_value((supply.path() / "type").c_str(), "") == "Battery") source = source.empty() ? "battery" : source;
    if (line_value((supply.path() / "online").c_str(), "") == "1") source = "ac";
  }
  return source;
}

}  // namespace

void describe_host(Environment& e) {
  e.model = line_value("/sys/devices/virtual/dmi/id/product_name", "");
  e.system = line_value("/etc/os-release", "PRETTY_NAME");
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGE_SIZE);
  if (pages > 0 && page_bytes > 0) e.memory_bytes = pages * page_bytes;
  e.performance_cores = std::thread::hardware_concurrency();  // all are alike, or nothing says which are not
  utsname name{};
  if (::uname(&name) == 0) e.kernel = name.release;
  std::string told = line_value("/proc/cpuinfo", "model name");
  // arm64 kernels list the cores without a name: there the architecture is all that is to be known.
  if (told.empty() && !line_value("/proc/cpuinfo", "processor").empty()) told = name.machine;
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
  c.frequency_mhz = number_or(line_value("/proc/cpuinfo", "cpu MHz"), -1);
  const auto kib = [](const char* name) { return number_or(line_value("/proc/meminfo", name), -1); };
  if (const double available = kib("MemAvailable"); available >= 0) c.memory_available_bytes = available * 1024;
  if (const double swap = kib("SwapTotal"), unused = kib("SwapFree"); swap >= 0 && unused >= 0)
    c.swap_used_bytes = (swap - unused) * 1024;
  // some avg10=0.00 avg60=0.00 ...
  c.memory_pressure = number_or(line_value("/proc/pressure/memory", "some avg10"), -1);
  c.power_source = power_source();
}

std::optional<std::int64_t> last_level_cache_bytes() {
  std::map<std::string, double> instances;  // by the processors that share one
  std::error_code none;
  for (const auto& cpu : std::filesystem::directory_iterator("/sys/devices/system/cpu", none)) {
    const auto cache = cpu.path() / "cache/index3";
    const double kib = number_or(line_value((cache / "size").c_str(), ""), 0);  // "32768K"
    if (kib > 0) instances[line_value((cache / "shared_cpu_list").c_str(), "")] = kib * 1024;
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
