#include "harness/running/ab.h"

#include "harness/cli/checks.h"
#include "harness/cli/verbs.h"
#include "harness/core/files.h"
#include "harness/core/names.h"
#include "harness/core/process.h"
#include "harness/core/progress.h"
#include "harness/core/random.h"
#include "harness/core/units.h"
#include "harness/devices/device.h"
#include "harness/devices/device_names.h"
#include "harness/host/environment.h"
#include "harness/isolation/isolated.h"
#include "harness/selftest/cache.h"

#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string a, b, suite, case_glob = "*", tolerance = "2.5%", planted, out;
  std::vector<std::string> set, set_a, set_b;
  std::optional<std::int64_t> seed;
  bool no_selftest = false, check = false;
  AbOptions ab;
};

/// "." stands for this program; a folder for the bench in it.
std::filesystem::path program_named(const std::string& name) {
  if (name == ".") return own_executable();
  std::filesystem::path path = name;
  if (std::filesystem::is_directory(path)) path /= "bench";
  if (!std::filesystem::exists(path))
    throw Error(name, "no such program", "give a build folder, a bench program, or . for this one");
  return std::filesystem::absolute(path);
}

/// Checks that the program can take turns with this one: both must speak the same kCaseProtocol. A program that takes
/// no turns would run at the same time as the other one, and both would measure that.
void check_protocol(const std::filesystem::path& program) {
  const ProcessResult result =
      run_process({program.string(), "case", "--protocol", std::to_string(kCaseProtocol)}, /*timeout_s=*/60);
  if (result.exit_code != 0 || result.signal != 0)
    throw Error(program.string(), "can't take turns with this program", "build both from sources that know `bench ab`");
}

Suite suite_for(const Options& options, const std::vector<std::string>& own) {
  std::vector<std::string> set = options.set;
  set.insert(set.end(), own.begin(), own.end());
  Suite suite = read_suite(options.suite, set);
  const auto names = case_names(suite);
  std::erase_if(suite.cases, [&](const auto& c) { return !matches_glob(c.name, options.case_glob); });
  if (suite.cases.empty())
    throw Error("--case " + options.case_glob, "no case of the suite has such a name",
                unknown_name_hint(options.case_glob, names));
  return suite;
}

void print(const AbCase& one) {
  const Estimate ratio = one.ratio();
  if (one.error || one.untimed)
    std::cout << fmt::format("{:<10} {}: {}\n", one.error ? "error" : "untimed", one.name, one.why);
  else
    std::cout << fmt::format("{:<10} {}: time of B / A {:.3f}{}, {} pairs of processes{}\n", change_name(one.change),
                             one.name, ratio.value,
                             ratio.has_interval() ? fmt::format(" [{:.3f}, {:.3f}]", ratio.low, ratio.high) : "",
                             one.pairs.size(), one.why.empty() ? "" : "; " + one.why);
}

Exit run(Options options) {
  options.ab.tolerance = parse_share(options.tolerance, "--tolerance");
  if (!options.planted.empty()) options.ab.planted_slowdown = parse_share(options.planted, "--plant-slowdown");
  options.ab.program_a = program_named(options.a);
  options.ab.program_b = program_named(options.b);
  options.ab.seed = options.seed.value_or(drawn_seed());
  if (options.ab.fewest_pairs > options.ab.most_pairs)
    throw Error("--fewest-pairs",
                fmt::format("{} exceeds --most-pairs {}", options.ab.fewest_pairs, options.ab.most_pairs));
  const Suite a = suite_for(options, options.set_a), b = suite_for(options, options.set_b);
  const Device& device = find_device(options.ab.device == "auto" ? a.device : options.ab.device, "--device");
  options.ab.device = device.name;
  check_protocol(options.ab.program_a);
  check_protocol(options.ab.program_b);
  if (options.check) return Exit::kOk;
  const auto test = options.no_selftest ? std::nullopt : selftest_if_needed(device);
  if (test && !test->passed()) throw Error::at_run_time("--device " + options.ab.device, test->reason(), test->hint());
  const AbResult result = run_ab(a, b, options.ab, [](const AbCase& one) {
    if (!one.error && !one.untimed)
      print_status(fmt::format("{}: pair {}, B / A {:.3f}", one.name, one.pairs.size(), one.ratio().value));
  });
  for (const auto& one : result.cases) print(one);
  if (!options.out.empty()) write_file_atomically(options.out, dumped(to_json(result), 1) + "\n");
  return result.exit_code();
}

}  // namespace

void add_ab(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "ab", "Is B slower than A? Two programs or settings in turns; exits 1 if it is, 4 when it can't tell");
  verb->add_option("a", options->a, "build folder or program; . for this one")->required();
  verb->add_option("b", options->b, "the same")->required();
  verb->add_option("suite", options->suite, "suite file")->required();
  verb->add_option("--case", options->case_glob, "only cases whose names match this pattern")->capture_default_str();
  verb->add_option("--set", options->set, "KEY=VALUE for both sides")->allow_extra_args(false);
  verb->add_option("--set-a", options->set_a, "KEY=VALUE for A, such as cases.decode.checkpoint=DIR")
      ->allow_extra_args(false);
  verb->add_option("--set-b", options->set_b, "KEY=VALUE for B")->allow_extra_args(false);
  verb->add_option("--device", options->ab.device, device_choices() + ", instead of the suite's");
  verb->add_option("--tolerance", options->tolerance,
                   "changes up to this count as none; a change of twice as much is nearly always found")
      ->capture_default_str();
  verb->add_option("--fewest-pairs", options->ab.fewest_pairs, "of processes, before the first look")
      ->check(CLI::Range(3, 1000))
      ->capture_default_str();
  verb->add_option("--most-pairs", options->ab.most_pairs, "of processes, then it can't tell")
      ->check(CLI::Range(3, 1000))
      ->capture_default_str();
  verb->add_option("--blocks", options->ab.blocks, "timed in each process, in turns with the other's")
      ->check(whole_number(1))
      ->capture_default_str();
  verb->add_option("--plant-slowdown", options->planted,
                   "stretch B's timed work by this share, to see whether it is found");
  verb->add_option("--seed", options->seed, "of who comes first [drawn]")->check(whole_number(0));
  verb->add_flag("--no-selftest", options->no_selftest, "time the device even if it was not seen to compute right");
  verb->add_flag("--check", options->check, "only whether these can be compared; exits 2 if not, and runs nothing");
  verb->add_option("--out", options->out, "file for the result with all times, JSON");
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace bench::harness
