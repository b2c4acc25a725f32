#include "harness/selftest/cache.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/process.h"
#include "harness/core/progress.h"
#include "harness/core/scratch_folder.h"
#include "harness/core/signals.h"
#include "harness/host/environment.h"

#include <cstdlib>
#include <limits>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr double kMostSeconds = 300;  // the self-test takes some; Metal compiles kernels when they are first used

/// The size and the time of LibTorch's libraries, which may be replaced while their version stays the same.
std::string libtorch_files() {
  std::string text;
  for (const std::string& library : loaded_libraries()) {
    std::error_code ignored;
    if (!fs::path(library).filename().string().starts_with("libtorch")) continue;
    text += fmt::format("{} {} {};", fs::path(library).filename().string(), fs::file_size(library, ignored),
                        fs::last_write_time(library, ignored).time_since_epoch().count());
  }
  return text;
}

/// Everything that the outcome hangs on. The program's own hash tells builds apart that have the same commit.
fs::path cache_file(const fs::path& folder, const SelfTestPlace& place, const fs::path& program) {
  Json key = to_json<SelfTestPlace>(place);
  key["program"] = xxh128_file(program);
  key["libtorch"] = libtorch_files();
  return folder / (xxh128(dumped(key)) + ".json");
}

std::optional<SelfTest> read_selftest(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return {};
  try {
    return selftest_from_json(parse_json(read_file(file), file.string()), file.string());
  } catch (const std::exception&) {
    return {};
  }
}

std::string ending_of(const ProcessResult& process) {
  if (process.ended_with_us) return "was ended together with this program";
  if (process.timed_out) return fmt::format("did not end within {:.0f} s and was killed", kMostSeconds);
  if (process.signal != 0) return fmt::format("crashed with signal {}", process.signal);
  return fmt::format("ended with exit code {}", process.exit_code);
}

/// Notes how the process ended: as the result of the probe that it was in, or of the last one if all had ended.
void add_ending(SelfTest& test, const std::string& ending) {
  constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();
  if (test.results.size() >= probes().size()) test.results.resize(probes().size() - 1);
  const Probe& probe = probes()[test.results.size()];
  test.results.push_back({probe.name, false, kNotKnown, kNotKnown, "the process of the self-test " + ending, 0});
}

}  // namespace

SelfTest selftest_in_process(const Device& device, const fs::path& program) {
  const EndingSignals signals;  // they end this process only once the folder is gone
  const ScratchFolder folder;
  const fs::path file = folder.path() / "selftest.json";
  const ProcessResult process =
      run_process({program.string(), "selftest", "--device", device.name, "--json", "--out", file.string()},
                  kMostSeconds, /*own_group=*/true, {}, {"TMPDIR=" + folder.path().string()});
  SelfTest test = read_selftest(file).value_or(SelfTest{selftest_place(device), {}});
  // A process that crashes or hangs after its last probe has a fault as well.
  const bool ended_well = !process.ended_with_us && !process.timed_out && process.signal == 0 &&
                          process.exit_code == static_cast<int>(test.passed() ? Exit::kOk : Exit::kGateFailed);
  if (!ended_well) add_ending(test, ending_of(process));
  return test;
}

namespace {

void keep(const SelfTest& test, const fs::path& file) {
  try {
    write_file_atomically(file, dumped(to_json(test), 2) + "\n");
  } catch (const std::exception& e) {
    print_status(fmt::format("the self-test can't be kept for the next run: {}", e.what()));
  }
}

}  // namespace

fs::path selftest_cache_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value ? value : "");
  };
  // The specification of XDG's folders says that a relative path there is to be ignored.
  if (const fs::path cache = variable("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "bench" / "selftest";
  const fs::path home = variable("HOME");
  return home.empty() ? home : home / ".cache" / "bench" / "selftest";
}

SelfTest selftest_of(const Device& device, const fs::path& program, const fs::path& folder) {
  const SelfTestPlace place = selftest_place(device);
  const fs::path file = folder.empty() ? fs::path() : cache_file(folder, place, program);
  if (const auto before = file.empty() ? std::nullopt : read_selftest(file); before && before->passed()) return *before;
  print_status(fmt::format("self-test of {} ...", device.name));
  SelfTest test = selftest_in_process(device, program);
  if (test.passed() && !file.empty()) keep(test, file);
  return test;
}

SelfTest selftest_of(const Device& device) { return selftest_of(device, own_executable(), selftest_cache_folder()); }

std::optional<SelfTest> selftest_if_needed(const Device& device) {
  if (!device.needs_selftest) return {};
  return selftest_of(device);
}

}  // namespace bench::harness
