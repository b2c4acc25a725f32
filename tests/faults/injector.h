#pragma once

#include <cstdint>
#include <string>

namespace bench::tests {

/// What happens at the N-th file operation below a folder, or at the N-th allocation, of a process.
enum class Fault { kNoSpace, kInputOutput, kKill, kNoMemory };
inline constexpr const char* kFaultNames[] = {"no space", "input/output error", "kill", "no memory"};

/// Plans a fault for this process and all that it starts, each of which counts for itself from 1. 0 plans none.
/// `below`: what paths must have in them; allocations are counted wherever they are.
void plan_fault(Fault fault, std::int64_t n, const std::string& below);

/// How many file operations below that folder, or allocations, this process has made since.
std::int64_t operations_made();

}  // namespace bench::tests
