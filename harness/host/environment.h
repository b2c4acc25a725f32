#pragma once

#include "harness/core/fields.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace bench::harness {

/// The beginning of a processor's name when the system doesn't tell the name.
inline constexpr std::string_view kUnknownProcessor = "unknown processor";
/// The name that the system tells; if it tells none, "unknown processor (x86_64)".
inline std::string processor_name(const std::string& told, const std::string& architecture) {
  const bool none = told.empty() || told == "unknown";  // the word is Linux's
  return none ? fmt::format("{} ({})", kUnknownProcessor, architecture) : told;
}

/// What a report must say about where its numbers come from. A value that the system doesn't tell is empty here and
/// null in JSON.
struct Environment {
  std::string processor, model, system, kernel;
  std::int64_t cores = 0, threads = 0;
  std::optional<std::int64_t> performance_cores, memory_bytes;
  std::optional<double> load_1min;
  std::string bench_version, commit, compiler, flags, build_type, torch_version, cpu_capability, blas;
  bool dirty = false;
  std::string waiting;                       // how threads wait for each other
  std::vector<std::string> openmp_runtimes;  // should be one: two would fight over the cores
  std::vector<std::string> devices;          // those that this machine has

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("processor", self.processor, "as it calls itself");
    visit("model", self.model, "of the machine, where it has one");
    visit("system", self.system, "operating system and version");
    visit("kernel", self.kernel, "kernel release");
    visit("cores", self.cores, "logical processors");
    visit("performance_cores", self.performance_cores, "of them fast ones; equal to cores where all are alike");
    visit("memory_bytes", self.memory_bytes, "of the machine");
    visit("threads", self.threads, "that LibTorch computes with");
    visit("load_1min", self.load_1min, "load average when the run began");
    visit("bench_version", self.bench_version, "of this program");
    visit("commit", self.commit, "that it was built from");
    visit("dirty", self.dirty, "the tree had changes that no commit holds");
    visit("compiler", self.compiler, "name and version");
    visit("flags", self.flags, "of the compiler, for what computes");
    visit("build_type", self.build_type, "of CMake");
    visit("torch_version", self.torch_version, "of LibTorch");
    visit("cpu_capability", self.cpu_capability, "vector instructions that LibTorch uses");
    visit("blas", self.blas, "libraries behind its matrix products");
    visit("openmp_runtimes", self.openmp_runtimes, "loaded into this process");
    visit("waiting", self.waiting, "how OpenMP's threads wait for each other");
    visit("devices", self.devices, "that this machine has");
  }
};

/// Fills in the facts that each operating system tells in its own way; environment_linux.cpp and environment_macos.cpp.
void describe_host(Environment& environment);
/// The size of the processors' last-level cache, all instances together, if the system tells.
std::optional<std::int64_t> last_level_cache_bytes();
std::vector<std::string> loaded_libraries();
std::filesystem::path own_executable();

}  // namespace bench::harness
