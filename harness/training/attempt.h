#pragma once

#include <functional>
#include <optional>
#include <string>

namespace bench::harness {

/// Does `work`. Returns nothing when it is done, or what went wrong outside of the program (no space left, a damaged
/// file). Exceptions for faults of the program itself are passed on.
std::optional<std::string> why_failed(const std::function<void()>& work);

}  // namespace bench::harness
