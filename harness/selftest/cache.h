#pragma once

#include "harness/selftest/selftest.h"

#include <filesystem>
#include <optional>

namespace bench::harness {

/// Runs the self-test of a device by `bench selftest --out` in a process of its own. If that process crashes, hangs or
/// ends otherwise than it should, the probe that it was in has failed, or the last one.
SelfTest selftest_in_process(const Device& device, const std::filesystem::path& program);

/// The self-test of a device by this program. If it has passed before, with this build, LibTorch, device, system and
/// driver, that self-test is returned. Otherwise `bench selftest` runs in a process of its own, which a fault of the
/// device may end, and a self-test that passed is kept for the next time. A file that can't be read or written is as
/// good as none. Takes seconds where it runs.
SelfTest selftest_of(const Device& device);
/// Does the same with another program and another folder, for tests. An empty folder: nothing is kept.
SelfTest selftest_of(const Device& device, const std::filesystem::path& program, const std::filesystem::path& folder);

/// Does the same for devices whose kernels are not trusted without (Device::needs_selftest); nothing for the others.
std::optional<SelfTest> selftest_if_needed(const Device& device);

/// $XDG_CACHE_HOME/bench/selftest or ~/.cache/bench/selftest; empty where neither is known.
std::filesystem::path selftest_cache_folder();

}  // namespace bench::harness
