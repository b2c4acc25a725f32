#pragma once

#include "tests/faults/injector.h"
#include "tests/faults/program.h"

#include <filesystem>
#include <functional>
#include <optional>

namespace bench::tests {

struct Ended {
  int exit_code = -1;       // -1: a signal ended it
  std::int64_t operations;  // that it made, or 0 if it did not live to say so
  std::string text;         // stdout and stderr
  bool reached(std::int64_t n) const { return exit_code < 0 || operations >= n; }
};

/// Runs `work` in a child of this process, which has all libraries loaded and has not computed anything yet: that takes
/// a tenth of what starting the program takes. `prepare` plans the fault.
Ended run_forked(const std::function<int()>& work, const std::function<void()>& prepare = [] {});

/// `bench ARGUMENTS` in `folder`, with the N-th file operation below it, or the N-th allocation, failing.
Ended run_with_fault(const std::filesystem::path& folder, const std::vector<std::string>& arguments, Fault fault,
                     std::int64_t n);
/// The same without a fault.
Ended run_undisturbed(const std::filesystem::path& folder, const std::vector<std::string>& arguments);

}  // namespace bench::tests
