#pragma once

#include "harness/cases/context.h"
#include "harness/cases/read_number.h"
#include "harness/host/command.h"

#include <string>
#include <vector>

namespace bench::harness {

/// What must be true of a run of the program.
struct Expectation {
  std::int64_t exit_code = 0;
  std::string output, checksum;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("exit_code", self.exit_code, "that it ends with");
    visit("output", self.output, "a regular expression that its stdout or stderr must match");
    visit("checksum", self.checksum, "xxh128 of its stdout");
  }
  void validate(const Require& require) const;
};

/// Any program: its time, its memory and the numbers that it prints.
struct CommandConfig {
  std::vector<std::string> command, setup, env, needs;
  std::string shell, folder;
  OneOf<"error", "skip"> when_missing;
  double timeout_s = 600;
  std::int64_t repetitions = 0;
  std::vector<NumberSource> read;
  Expectation expect;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("command", self.command, "the program and its arguments, a list; no shell reads them");
    visit("shell", self.shell, "instead of command: a line for /bin/sh");
    visit("setup", self.setup, "a program to run once before it, untimed, a list as well");
    visit("env", self.env, "a list of NAME=VALUE, instead of what bench has of these names");
    visit("folder", self.folder, "to run it in; empty: the current one");
    visit("needs", self.needs, "files and folders that must be there");
    visit("when_missing", self.when_missing,
          "what it is when the program or what it needs isn't there; of a case that is skipped no gate is judged");
    visit("timeout_s", self.timeout_s, "after which a run is ended, with all that it started");
    visit("repetitions", self.repetitions, "at most so many timed runs; 0: as many as it takes, within budget_s");
    visit("read", self.read, "where the case's own metrics stand in what it prints or writes");
    visit("expect", self.expect, "what must be true of each run");
  }
  void validate(const Require& require) const;
};

/// Runs the program again and again. BENCH_DEVICE, BENCH_THREADS and BENCH_DTYPE tell the program what our own cases
/// run on. Series: wall_time_s, cpu_time_s, peak_memory_bytes (of all its processes together), and one for each metric
/// that is read. The first run is the cold one. What the program printed last is kept as a note.
void run_command_case(const CommandConfig& config, Context& context, Record& record);

/// Adds a run's peak memory to `into`, or says in the record's notes why it has none.
void record_run_peak(const CommandResult& result, Record& into, Record& record);

/// The metrics that the config says how to read.
std::vector<std::string> metrics_read(const CommandConfig& config);

}  // namespace bench::harness
