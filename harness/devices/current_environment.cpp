#include "harness/devices/current_environment.h"

#include "harness/devices/device.h"
#include "harness/host/build_info.h"
#include "harness/host/waiting.h"

#include <stdlib.h>  // getloadavg, which <cstdlib> doesn't promise
#include <thread>

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

namespace bench::harness {
namespace {

bool is_openmp(const std::string& library) {
  for (const char* name : {"libgomp", "libomp", "libiomp"})
    if (std::filesystem::path(library).filename().string().starts_with(name)) return true;
  return false;
}

/// The end of a library's path. It tells LibTorch's own library from another one, and doesn't reveal where a user keeps
/// things.
std::string short_path(const std::filesystem::path& library) {
  const auto folder = library.parent_path();
  return (folder.parent_path().filename() / folder.filename() / library.filename()).string();
}

/// The first line of LibTorch's description of itself that begins with `beginning`.
std::string first_line(const std::string& text, const std::string& beginning) {
  const auto begin = text.find(beginning);
  return begin == std::string::npos ? "" : text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

Environment current_environment() {
  Environment e;
  describe_host(e);
  e.cores = std::thread::hardware_concurrency();
  e.threads = at::get_num_threads();
  double load[1] = {0};
  if (::getloadavg(load, 1) == 1) e.load_1min = load[0];
  const BuildInfo& build = build_info();
  e.bench_version = build.version;
  e.commit = build.commit;
  e.dirty = build.dirty;
  e.compiler = build.compiler;
  e.flags = build.flags;
  e.build_type = build.build_type;
  e.torch_version = TORCH_VERSION;
  e.cpu_capability = at::get_cpu_capability();
  const std::string mkl = first_line(at::get_mkl_version(), "Intel(R) oneAPI");
  const std::string onednn = first_line(at::get_mkldnn_version(), "Intel(R) MKL-DNN");
  e.blas = mkl + (mkl.empty() || onednn.empty() ? "" : "; ") + onednn;
  e.waiting = waiting_policy();
  for (const auto& library : loaded_libraries())
    if (is_openmp(library)) e.openmp_runtimes.push_back(short_path(library));
  for (const auto& device : devices())
    if (device.available()) e.devices.push_back(device.name);
  return e;
}

}  // namespace bench::harness
