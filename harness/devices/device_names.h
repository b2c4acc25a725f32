#pragma once

#include "harness/core/fields.h"

#include <algorithm>

namespace bench::harness {

/// What a config's `device` may be: the rows of devices(), or auto. Here without LibTorch, for files that only read
/// configs; whether this machine has the device is find_device's to say.
inline const std::vector<std::string>& device_names() {
  static const std::vector<std::string> names{"auto", "mps", "cuda", "cpu"};
  return names;
}

/// "auto, mps, cuda or cpu".
inline std::string device_choices() { return alternatives(device_names()); }

/// For a config's validate().
inline void require_device_name(const Require& require, const std::string& name) {
  const auto& known = device_names();
  require(std::find(known.begin(), known.end(), name) != known.end(), "device",
          fmt::format("unknown device '{}'", name), unknown_name_hint(name, known));
}

}  // namespace bench::harness
