#pragma once

#include <functional>
#include <optional>
#include <string>

namespace bench::harness {

/// Does `work`; says what the world did to it (no space left, a damaged file), or nothing when it is done. Our own
/// faults go on as exceptions.
std::optional<std::string> why_failed(const std::function<void()>& work);

}  // namespace bench::harness
