#pragma once

#include <string>
#include <vector>

namespace bench::tests {

/// `bench ARGUMENTS` within this process: its exit code. What it prints goes to stdout and stderr.
int run_program(const std::vector<std::string>& arguments);

}  // namespace bench::tests
