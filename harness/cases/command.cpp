#include "harness/cases/command.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/regex.h"
#include "harness/host/waiting.h"
#include "harness/measuring/measure.h"

#include <algorithm>
#include <filesystem>

#include <fmt/ranges.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kKeptOutput = 2000;  // bytes of it that the record has

std::string name_of(const Command& command) { return fmt::format("{}", fmt::join(command.arguments, " ")); }

/// The last lines that the program printed, for an error message.
std::string last_lines(const CommandResult& result) {
  const std::string tail = (result.err.beginning.empty() ? result.out : result.err).tail(400);
  return tail.empty() ? "it printed nothing" : "its last lines:\n" + tail;
}

/// Whether a program of that name can be started.
bool is_program(const std::string& name, const std::string& folder) {
  if (name.find('/') != std::string::npos) return fs::exists(fs::path(folder) / name);
  const char* path = std::getenv("PATH");
  const std::string folders = path ? path : "/usr/bin:/bin";
  for (std::size_t begin = 0; begin <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    if (fs::exists(fs::path(folders.substr(begin, end - begin)) / name)) return true;
    begin = end + 1;
  }
  return false;
}

/// Names what is missing: the program or something that it needs. "" if nothing is.
std::string missing(const CommandConfig& config, const Command& command) {
  for (const auto& one : {command.arguments, config.setup})
    if (!one.empty() && !is_program(one[0], config.folder)) return fmt::format("there is no program '{}'", one[0]);
  for (const auto& one : config.needs)
    if (!fs::exists(one)) return fmt::format("'{}' is not there", one);
  return "";
}

/// The environment variables that a program gets besides the case's env. They tell it what our own cases run on, so
/// that it can run on the same.
std::vector<std::string> environment_of(const Context& context) {
  std::vector<std::string> all = waiting_variables();  // not how our threads wait
  all.push_back(fmt::format("BENCH_DEVICE={}", context.device.name));
  all.push_back(fmt::format("BENCH_THREADS={}", at::get_num_threads()));
  all.push_back(fmt::format("BENCH_DTYPE={}", context.device.fast_bf16() ? "bf16" : "fp32"));
  return all;
}

CommandResult run(const Command& command) {
  CommandResult result = run_command(command);
  const std::string name = name_of(command);
  if (result.timed_out)
    throw Error::at_run_time(name, fmt::format("did not end within {:g} s and was ended", command.timeout_s),
                             last_lines(result));
  if (result.signal != 0)
    throw Error::at_run_time(name, fmt::format("was ended by signal {}", result.signal), last_lines(result));
  if (!result.left_behind.empty())
    throw Error::at_run_time(name, fmt::format("ended and left running: {}", fmt::join(result.left_behind, ", ")),
                             "they were ended too; a measured program must end with all that it starts");
  return result;
}

void check_expected(const Expectation& expect, const Command& command, const CommandResult& result) {
  const std::string name = name_of(command);
  if (result.exit_code != expect.exit_code)
    throw Error::at_run_time(name,
                             fmt::format("ended with exit code {} instead of {}", result.exit_code, expect.exit_code),
                             last_lines(result));
  const auto printed = [&](const Output& output) {
    return Regex(expect.output).find(output.beginning) || Regex(expect.output).find(output.end);
  };
  if (!expect.output.empty() && !printed(result.out) && !printed(result.err))
    throw Error::at_run_time(name, fmt::format("did not print what '{}' matches", expect.output), last_lines(result));
  if (expect.checksum.empty()) return;
  if (result.out.cut)
    throw Error::at_run_time(name, "printed too much for a checksum",
                             fmt::format("at most {} MB", Output::kMost >> 20));
  if (const std::string found = xxh128(result.out.whole()); found != expect.checksum)
    throw Error::at_run_time(name, fmt::format("printed other text: its xxh128 is {}, not {}", found, expect.checksum),
                             last_lines(result));
}

/// Adds what the program says of its metrics.
void add_numbers(const CommandConfig& config, const Command& command, const CommandResult& result,
                 const std::vector<DeclaredMetric>& declared, Record& into) {
  for (const auto& source : config.read) {
    const DeclaredMetric* metric = find_declared(declared, source.metric);
    if (!metric)
      throw Error(fmt::format("read: {}", source.metric), "is no metric that the case declares",
                  "write it into metrics:");
    if (source.file.empty() && result.out.cut)
      throw Error::at_run_time(
          name_of(command),
          fmt::format("printed more than {} MB, too much to read {} in it", Output::kMost >> 20, source.metric),
          "let it write its numbers into a file, and name that as file:");
    const fs::path file = fs::path(config.folder) / source.file;
    const std::string where = source.file.empty() ? "stdout of " + name_of(command) : file.string();
    const std::string text = source.file.empty() ? result.out.whole() : read_file(file);
    for (const double sample : read_numbers(source, *metric, text, where))
      into.add(metric->name, metric->unit.c_str(), sample);
  }
}

}  // namespace

void Expectation::validate(const Require& require) const {
  const std::string fault = output.empty() ? "" : Regex::fault(output);
  require(fault.empty(), "output", "is no regular expression: " + fault, "Perl's syntax");
}

void CommandConfig::validate(const Require& require) const {
  require(command.empty() != shell.empty(), "command", command.empty() ? "is missing" : "and shell are both given",
          "command: [program, argument], or shell: \"a line for /bin/sh\"");
  require(command.empty() || !command[0].empty(), "command", "names no program", "command: [program, argument]");
  require(setup.empty() || !setup[0].empty(), "setup", "names no program", "setup: [program, argument]");
  for (const auto& one : env)
    require(one.find('=') != std::string::npos && one[0] != '=', "env", fmt::format("'{}' is not NAME=VALUE", one), "");
  for (const auto& source : read)
    for (const char* ours : {series::kWallTimeS, series::kCpuTimeS, series::kPeakMemoryBytes})
      require(source.metric != ours, "read", fmt::format("{} is what the case measures itself", ours), "another name");
  require(timeout_s > 0, "timeout_s", "must be positive", "");
  require(repetitions >= 0, "repetitions", "must not be negative", "");
  require_sizes(require, {{"repetitions", repetitions}});
}

std::vector<std::string> metrics_read(const CommandConfig& config) {
  std::vector<std::string> names;
  for (const auto& source : config.read) names.push_back(source.metric);
  return names;
}

void record_run_peak(const CommandResult& result, Record& into, Record& record) {
  if (!result.peak_unread.empty())
    record.notes[kPeakUnreadNote] = "the memory of its processes could not be read: " + result.peak_unread;
  else if (result.peak_bytes > 0)
    into.add(series::kPeakMemoryBytes, "bytes", result.peak_bytes);
}

void run_command_case(const CommandConfig& config, Context& context, Record& record) {
  Command command{
      .arguments = config.command, .folder = config.folder, .environment = config.env, .timeout_s = config.timeout_s};
  for (const auto& one : environment_of(context)) command.environment.push_back(one);
  if (!config.shell.empty()) command.arguments = {"/bin/sh", "-c", config.shell};
  if (const std::string what = missing(config, command); !what.empty()) {
    if (config.when_missing == "error")
      throw Error::at_run_time(name_of(command), what, "when_missing: skip leaves the case out");
    record.status = Record::Status::kSkipped;
    record.reason = what;
    return;
  }
  if (!config.setup.empty()) {
    Command setup = command;
    setup.arguments = config.setup;
    check_expected({}, setup, run(setup));
  }
  std::int64_t runs = 0;
  const auto once = [&](Record& into) {
    for (const auto& source : config.read)  // one of a run before would be read if this one wrote none
      if (!source.file.empty()) fs::remove(fs::path(config.folder) / source.file);
    const CommandResult result = run(command);
    record.notes["stdout"] = result.out.tail(kKeptOutput);
    record.notes["stderr"] = result.err.tail(kKeptOutput);
    check_expected(config.expect, command, result);
    into.add(series::kWallTimeS, "s", result.wall_s);
    into.add(series::kCpuTimeS, "s", result.cpu_s);
    record_run_peak(result, into, record);
    add_numbers(config, command, result, record.declared, into);
    return config.repetitions == 0 || runs++ < config.repetitions;  // the cold one is none of them
  };
  measure_in_blocks(context.device, torch::kFloat32, context.measuring, once, record);
  drop_counts(record);  // no operators of ours
  if (record.samples(series::kPeakMemoryBytes).empty() && !record.notes.contains(kPeakUnreadNote))
    record.notes[kPeakUnreadNote] = "peak memory could not be read: the program ended too soon";
}

}  // namespace bench::harness
