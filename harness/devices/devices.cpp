#include "harness/core/error.h"
#include "harness/core/names.h"
#include "harness/devices/backends.h"

#include <algorithm>
#include <iterator>

namespace bench::harness {
namespace {

const Device kDevices[] = {mps_device(), cuda_device(), cpu_device(),
                           portable_device()};  // the order in which `auto` looks

}  // namespace

std::span<const Device> devices() { return kDevices; }

const Device* device_named(const std::string& name) {
  const auto found = std::ranges::find(kDevices, name, &Device::name);
  return found == std::end(kDevices) ? nullptr : found;
}

const Device& find_device(const std::string& name, const std::string& where) {
  std::vector<std::string> known{"auto"};
  for (const auto& device : kDevices) {
    known.push_back(device.name);
    if (name == "auto" && device.available()) return device;
    if (name != device.name) continue;
    if (!device.available())
      throw Error(where, "this machine or this LibTorch has no " + name, "use --device auto or --device cpu");
    return device;
  }
  throw Error(where, "unknown device '" + name + "'", unknown_name_hint(name, known));
}

}  // namespace bench::harness
