#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bench::model {

/// The operators that f calls on this thread and that no other operator called, in their order; without those that only
/// make views and memory.
std::vector<std::string> outermost_operators(const std::function<void()>& f);

}  // namespace bench::model
