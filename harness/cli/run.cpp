#include "harness/cli/checks.h"
#include "harness/cli/verbs.h"
#include "harness/comparison/compare.h"
#include "harness/core/progress.h"
#include "harness/core/signals.h"
#include "harness/devices/device_names.h"
#include "harness/judging/report_paths.h"
#include "harness/reports/reports.h"
#include "harness/running/failure.h"
#include "harness/running/rerun.h"
#include "harness/running/runner.h"

#include <filesystem>
#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string suite = "suites/quick.yaml", from, out;
  std::vector<std::string> set, matrix, formats{"json", "markdown", "html"};
  RunOptions run;
};

/// results/<suite>/<time>, unless the user said otherwise.
std::filesystem::path output_folder(const Options& options, const Report& report) {
  if (!options.out.empty()) return options.out;
  std::string time = report.created;
  std::erase(time, ':');  // not every file system takes it
  return std::filesystem::path("results") / report.suite / time;
}

/// The files of a report, written anew whenever there is more of it.
class ReportFiles {
 public:
  explicit ReportFiles(const Options& options) : options_(options) {}

  /// On the first call, throws if a file can't be written: before hours of work, and without leaving in its place what
  /// an earlier run wrote. On later calls, it says so, and the next call tries again: a disk that is full now need not
  /// be full at the end. The files that are there until then say that the run was interrupted.
  void write(const Report& report) {
    folder_ = output_folder(options_, report);
    try {
      write_report(report, folder_, options_.formats, written_ ? Unwritten::kKept : Unwritten::kRemoved);
      written_ = true;
      failure_.reset();
    } catch (const std::exception& e) {
      if (!written_) throw;
      const bool said = failure_.has_value();
      failure_ = describe(e);
      if (!said)
        print_status(format_error(failure_->where, failure_->message + "; the run goes on, and it is tried again", ""));
    }
  }

  /// Says where the report is, or why it isn't there.
  Exit say() const {
    if (!failure_) {
      std::cout << "report: " << folder_.string() << "\n";
      return Exit::kOk;
    }
    print_status("the report is not whole: some of its files are missing, or older than its end");
    print_status(format_error(failure_->where, failure_->message, failure_->hint));
    return Exit::kCaseError;
  }

 private:
  const Options& options_;
  std::filesystem::path folder_;
  bool written_ = false;
  std::optional<Failure> failure_;  // of the last time
};

/// Says whether a run agrees with the run that it repeats, in the cases that were run again. Returns exit code 1 if it
/// clearly does not.
Exit check_agreement(Report before, const Report& now, const std::string& case_glob) {
  std::erase_if(before.cases, [&](const auto& one) { return !matches_glob(one.name, case_glob); });
  std::cout << "against the report it repeats:\n";
  const auto rows = compare_reports(before, now, {});
  Exit exit = Exit::kOk;
  for (const auto& row : rows) {
    const bool differs = row.change != Change::kSame && row.change != Change::kCantTell;
    if (differs) exit = Exit::kGateFailed;
    std::cout << fmt::format("  {:<12} {}: {}\n",
                             differs                           ? "disagrees"
                             : row.change == Change::kCantTell ? "can't tell"
                                                               : "agrees",
                             row.case_name, row.metric ? row.metric->name : "the whole case");
  }
  return exit;
}

Exit run(Options options) {
  for (const auto& name : options.formats) find_report_format(name, "--format");  // before hours of work, not after
  ReportFiles files(options);
  options.run.on_case = [&](const Report& so_far) { files.write(so_far); };
  std::optional<Report> before;
  if (!options.from.empty()) {
    before = with_all_keys(read_report(options.from));
    check_written_paths(*before, options.from, options.out);
    options.run.device = options.run.device.empty() ? before->device : options.run.device;
    if (!options.run.seed) options.run.seed = before->seed;
    options.run.left_out = before->left_out;
  }
  const Suite suite = before ? suite_of_report(*before) : read_suite(options.suite, options.set, options.matrix);
  const EndingSignals signals;  // end us once the report says that it was interrupted
  const Report report = run_suite(suite, options.run);
  write_terminal(report, std::cout);
  const Exit written = files.say();
  if (report.interrupted) print_status(report.interruption());
  if (EndingSignals::received() != 0) std::cout.flush();  // nothing else will
  if (written != Exit::kOk) return written;
  if (report.interrupted) return report.exit_code();  // of whoever ignores the signal
  const Exit agreement = before ? check_agreement(*before, report, options.run.case_glob) : Exit::kOk;
  return agreement != Exit::kOk && report.exit_code() != Exit::kCaseError ? agreement : report.exit_code();
}

}  // namespace

void add_run(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("run", "Run a suite and judge its gates");
  verb->add_option("suite", options->suite, "suite file; suites/ and configs/ are also built in")
      ->capture_default_str();
  auto* from = verb->add_option("--from", options->from,
                                "report.json: run its cases again, as they were, and say whether the results agree");
  from->excludes("suite");
  verb->add_option("--out", options->out, "folder of the report [results/<suite>/<time>]");
  verb->add_option("--device", options->run.device, device_choices() + ", instead of the suite's");
  verb->add_option("--case", options->run.case_glob, "run only cases whose names match this pattern")
      ->capture_default_str();
  verb->add_option("--processes", options->run.processes, "of each case, at most, instead of the suite's")
      ->check(whole_number(1));
  verb->add_option("--seed", options->run.seed, "of the order in which the processes run [drawn]")
      ->check(whole_number(0));
  verb->add_flag_callback(
      "--no-selftest", [options] { options->run.selftest = nullptr; },
      "time the device even if nobody has asked whether it computes right (see bench selftest)");
  verb->add_option("--set", options->set,
                   "KEY=VALUE, such as cases.train.steps=10 or device=cpu; may be given several times")
      ->allow_extra_args(false)
      ->excludes(from);
  verb->add_option("--matrix", options->matrix, "KEY=V1,V2: each case with that key once with each value")
      ->allow_extra_args(false)
      ->excludes(from);
  verb->add_option("--format", options->formats, "report formats (bench list formats)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace bench::harness
