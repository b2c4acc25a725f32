#pragma once

#include "harness/core/fields.h"
#include "harness/devices/device.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace bench::harness {

inline constexpr const char* kSelfTestSchema = "bench-selftest/1";

/// What a probe found on a device: of all that it compared, what was furthest beyond its tolerance. Both numbers are in
/// the unit of what was compared.
struct Finding {
  double difference = 0, tolerance = 0;
  std::string detail;  // which of the comparisons this is, and what else there is to say
};

/// One question to a device, with a known answer.
struct Probe {
  const char* name;
  const char* meaning;  // what holds where it passes
  const char* known;    // what is known about devices that fail: issues of PyTorch; "" if nothing is
  const char* advice;   // what to do where it fails
  Finding (*run)(const Device& device);
};

/// All probes, in the order in which they run. The probe of memory comes first: later ones leave free memory behind,
/// which would be taken before more is asked of the system.
std::span<const Probe> probes();
/// The probe of that name, or nullptr.
const Probe* find_probe(const std::string& name);

struct ProbeResult {
  std::string probe;  // its name
  bool passed = false;
  double difference = 0, tolerance = 0;  // NaN where the probe could not be run to its end
  std::string detail;
  double seconds = 0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probe", self.probe, "its name");
    visit("passed", self.passed, "whether the difference is within the tolerance");
    visit("difference", self.difference, "from what must come out, at its worst");
    visit("tolerance", self.tolerance, "of that comparison");
    visit("detail", self.detail, "which comparison was the worst");
    visit("seconds", self.seconds, "that the probe took");
  }

  /// "masked_fill_on_view: is off by 3.2 (at most 0): ..." for people.
  std::string text() const;
};

/// Where a self-test ran, as far as its outcome may depend on it. All are texts for people.
struct SelfTestPlace {
  std::string device;  // its row's name
  std::string processor, model, system, kernel, driver, torch_version;
  std::string build;  // version, commit, and whether the tree had changes

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("device", self.device, "a row of `bench list devices`");
    visit("processor", self.processor, "as it calls itself");
    visit("model", self.model, "of the machine, where it has one");
    visit("system", self.system, "operating system and version");
    visit("kernel", self.kernel, "kernel release");
    visit("driver", self.driver, "the device's own, where it has one apart from the system");
    visit("torch_version", self.torch_version, "of LibTorch");
    visit("build", self.build, "of this program");
  }
};

/// The place of a self-test of `device` by this program on this machine.
SelfTestPlace selftest_place(const Device& device);

struct SelfTest {
  SelfTestPlace place;
  std::vector<ProbeResult> results;  // in the order in which they ran

  /// True if every probe ran and passed.
  bool passed() const;
  /// The results that didn't pass.
  std::vector<const ProbeResult*> failed() const;
  double seconds() const;
  /// "passed: 15 probes in 2.1 s", or "failed: 1 of 15 probes: masked_fill_on_view".
  std::string summary() const;
  /// Why the device must not be timed: the failed probes and how far they are off. "" if it may be.
  std::string reason() const;
  /// What is known about the failed probes, and what to do. "" if there are none.
  std::string hint() const;
};

/// Runs the probes one after another. A probe that throws has failed, and its detail is the exception's text; the
/// others still run. `before_each` is called with the results so far, and once more at the end, so that they are known
/// even if a probe takes the process with it.
SelfTest run_selftest(const Device& device, const std::function<void(const SelfTest&)>& before_each = nullptr);

/// Schema bench-selftest/1: the place, the verdict, and each probe with what is known about it.
Json to_json(const SelfTest& test);
/// Throws Error at `where` if the JSON isn't a self-test.
SelfTest selftest_from_json(const Json& json, const std::string& where);

}  // namespace bench::harness
