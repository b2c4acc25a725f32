#pragma once

#include "harness/core/fields.h"

#include <algorithm>

namespace bench::harness {

/// The values that a config's `device` may have: the rows of devices(), or auto. This header does without LibTorch, for
/// files that only read configs. Whether this machine has the device is checked by find_device().
inline const std::vector<std::string>& device_names() {
  static const std::vector<std::string> names{"auto", "mps", "cuda", "cpu", "portable"};
  return names;
}

/// "auto, mps, cuda, cpu or portable".
inline std::string device_choices() { return alternatives(device_names()); }

/// For use in a config's validate().
inline void require_device_name(const Require& require, const std::string& name) {
  const auto& known = device_names();
  require(std::ranges::find(known, name) != known.end(), "device", fmt::format("unknown device '{}'", name),
          unknown_name_hint(name, known));
}

}  // namespace bench::harness
