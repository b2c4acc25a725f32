#include "harness/host/conditions.h"
#include "harness/host/environment.h"

#include <dlfcn.h>
#include <mach-o/dyld.h>
#include <mach/mach.h>
#include <sys/sysctl.h>
#include <unistd.h>

// Declarations of <notify.h>, which is not among the headers that scripts/macos_check builds with.
extern "C" {
std::uint32_t notify_register_check(const char* name, int* token);
std::uint32_t notify_get_state(int token, std::uint64_t* state);
std::uint32_t notify_cancel(int token);
}

namespace bench::harness {
namespace {

constexpr std::uint32_t kNotifyOk = 0;  // NOTIFY_STATUS_OK

std::string sysctl_text(const char* name) {
  std::size_t size = 0;
  if (::sysctlbyname(name, nullptr, &size, nullptr, 0) != 0 || size == 0) return "";
  std::string text(size, '\0');
  if (::sysctlbyname(name, text.data(), &size, nullptr, 0) != 0) return "";
  return text.c_str();  // drops the terminating zero, which the size includes
}

std::optional<std::int64_t> sysctl_number(const char* name) {
  std::int64_t value = 0;  // a 32-bit answer fills the lower half: Macs are little-endian
  std::size_t size = sizeof(value);
  if (::sysctlbyname(name, &value, &size, nullptr, 0) != 0) return {};
  return value;
}

/// "ac" or "battery". IOKit is loaded when needed: otherwise it would be the only framework that we have to link with.
std::string power_source() {
  void* iokit = ::dlopen("/System/Library/Frameworks/IOKit.framework/IOKit", RTLD_LAZY);
  void* core = ::dlopen("/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation", RTLD_LAZY);
  if (!iokit || !core) return "";
  const auto copy_info = reinterpret_cast<void* (*)()>(::dlsym(iokit, "IOPSCopyPowerSourcesInfo"));
  const auto source_type = reinterpret_cast<void* (*)(void*)>(::dlsym(iokit, "IOPSGetProvidingPowerSourceType"));
  const auto to_c =
      reinterpret_cast<unsigned char (*)(void*, char*, long, std::uint32_t)>(::dlsym(core, "CFStringGetCString"));
  const auto release = reinterpret_cast<void (*)(void*)>(::dlsym(core, "CFRelease"));
  if (!copy_info || !source_type || !to_c || !release) return "";
  void* info = copy_info();
  if (!info) return "";
  char text[64] = "";
  constexpr std::uint32_t kUtf8 = 0x08000100;
  void* type = source_type(info);
  if (type) to_c(type, text, sizeof(text), kUtf8);
  release(info);
  return std::string(text) == "AC Power" ? "ac" : text[0] ? "battery" : "";
}

/// 0 nominal, 1 moderate, 2 heavy, 3 trapping, 4 sleeping; -1 if the system doesn't say.
double thermal_level() {
  int token = 0;
  std::uint64_t level = 0;
  if (::notify_register_check("com.apple.system.thermalpressurelevel", &token) != kNotifyOk) return -1;
  const bool known = ::notify_get_state(token, &level) == kNotifyOk;
  ::notify_cancel(token);
  return known ? static_cast<double>(level) : -1;
}

}  // namespace

void describe_host(Environment& e) {
  e.processor = processor_name(sysctl_text("machdep.cpu.brand_string"), sysctl_text("hw.machine"));
  e.model = sysctl_text("hw.model");
  e.system = "macOS " + sysctl_text("kern.osproductversion") + " (" + sysctl_text("kern.osversion") + ")";
  e.kernel = sysctl_text("kern.osrelease");
  e.memory_bytes = sysctl_number("hw.memsize");
  e.performance_cores = sysctl_number("hw.perflevel0.physicalcpu");
}

void read_host_conditions(Conditions& c) {
  host_cpu_load_info_data_t ticks{};
  mach_msg_type_number_t count = HOST_CPU_LOAD_INFO_COUNT;
  if (::host_statistics(mach_host_self(), HOST_CPU_LOAD_INFO, reinterpret_cast<host_info_t>(&ticks), &count) ==
      KERN_SUCCESS) {
    const auto ticks_per_s = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const auto seconds = [&](int state) { return ticks.cpu_ticks[state] / ticks_per_s; };
    c.cpu_busy_s = seconds(CPU_STATE_USER) + seconds(CPU_STATE_SYSTEM) + seconds(CPU_STATE_NICE);
    c.cpu_total_s = c.cpu_busy_s + seconds(CPU_STATE_IDLE);
  }
  xsw_usage swap{};
  std::size_t size = sizeof(swap);
  if (::sysctlbyname("vm.swapusage", &swap, &size, nullptr, 0) == 0)
    c.swap_used_bytes = static_cast<double>(swap.xsu_used);
  if (const auto level = sysctl_number("kern.memorystatus_vm_pressure_level"))
    c.memory_pressure = static_cast<double>(*level);
  c.thermal_level = thermal_level();
  const auto free_percent = sysctl_number("kern.memorystatus_level"), memory = sysctl_number("hw.memsize");
  if (free_percent && memory)
    c.memory_available_bytes = static_cast<double>(*free_percent) / 100 * static_cast<double>(*memory);
  c.power_source = power_source();
}

std::optional<std::int64_t> last_level_cache_bytes() { return sysctl_number("hw.l3cachesize"); }

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
