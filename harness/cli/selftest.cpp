#include "harness/selftest/selftest.h"

#include "harness/cli/verbs.h"
#include "harness/core/files.h"
#include "harness/devices/device_names.h"
#include "harness/host/environment.h"
#include "harness/selftest/cache.h"

#include <cmath>
#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string device = "auto", out;
  bool as_json = false;
};

std::string number_text(double value) { return std::isnan(value) ? "-" : fmt::format("{:.2g}", value); }

void print_failed(const ProbeResult& result) {
  std::cout << fmt::format("\n{}\n", result.text());
  const Probe* probe = find_probe(result.probe);
  if (!probe) return;
  std::cout << fmt::format("  asks whether {}\n", probe->meaning);
  if (*probe->known) std::cout << fmt::format("  known: {}\n", probe->known);
  std::cout << fmt::format("  hint: {}\n", probe->advice);
}

void print_table(const SelfTest& test) {
  std::cout << fmt::format("{}: {}, {}, LibTorch {}\n\n", test.place.device, test.place.processor, test.place.system,
                           test.place.torch_version);
  std::cout << fmt::format("{:<26} {:>10} {:>10}  {:<7} {:>7}\n", "probe", "difference", "tolerance", "verdict",
                           "seconds");
  for (const auto& result : test.results)
    std::cout << fmt::format("{:<26} {:>10} {:>10}  {:<7} {:>7.2f}\n", result.probe, number_text(result.difference),
                             number_text(result.tolerance), result.passed ? "passed" : "failed", result.seconds);
  for (const ProbeResult* result : test.failed()) print_failed(*result);
  std::cout << fmt::format("\nself-test of {} {}\n", test.place.device, test.summary());
}

Exit run(const Options& options) {
  const Device& device = find_device(options.device, "--device");
  const auto write = [&](const SelfTest& so_far) {
    write_file_atomically(options.out, dumped(to_json(so_far), 2) + "\n");
  };
  // A device may take the process with it. With --out the file then has the probes so far; without, another process
  // says which probe it was.
  const SelfTest test =
      options.out.empty() ? selftest_in_process(device, own_executable()) : run_selftest(device, write);
  if (!options.as_json)
    print_table(test);
  else if (options.out.empty())
    std::cout << dumped(to_json(test), 2) << "\n";
  return test.passed() ? Exit::kOk : Exit::kGateFailed;
}

}  // namespace

void add_selftest(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "selftest", "Ask a device questions with known answers, in seconds; exits 1 if one is answered wrong");
  verb->add_option("--device", options->device, device_choices())->capture_default_str();
  verb->add_flag("--json", options->as_json, "everything, instead of a table");
  verb->add_option("--out", options->out, "file for the JSON; it has the probes so far while the self-test runs");
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace bench::harness
