#pragma once

#include "harness/devices/device.h"
#include "model/path.h"

namespace bench::harness {

/// The processor, on the path that this test program takes (tests/portable_path.cpp).
inline const Device& cpu() { return find_device(model::path() == model::Path::kPortable ? "portable" : "cpu", ""); }

}  // namespace bench::harness
