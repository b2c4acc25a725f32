#include "harness/running/runner.h"

#include "harness/core/clock.h"
#include "harness/core/progress.h"
#include "harness/core/random.h"
#include "harness/core/signals.h"
#include "harness/core/turns.h"
#include "harness/devices/current_environment.h"
#include "harness/isolation/isolated.h"
#include "harness/running/failure.h"
#include "harness/running/stop_rule.h"

#include <algorithm>

namespace bench::harness {
namespace {

/// The entry of a report's environment that says how the device's self-test ended. Reports of devices that need none
/// don't have it, nor do older reports.
constexpr const char* kSelfTestKey = "selftest";

/// The record that stands for a case while none of its processes has run.
Record not_run(const CaseSpec& spec) {
  Record record = new_record(spec.name, spec.type, spec.config, spec.metrics);
  record.status = Record::Status::kNotRun;
  record.reason = "was not run";
  return record;
}

/// The record of a case that must not run, because its numbers would not be those of a device that computes right.
Record not_trusted(const CaseSpec& spec, const SelfTest& test) {
  Record record = not_run(spec);
  record.status = Record::Status::kError;
  record.reason = test.reason();
  record.hint = test.hint();
  return record;
}

/// A suite while it runs.
class SuiteRun {
 public:
  SuiteRun(const Suite& suite, const RunOptions& options)
      : options_(options),
        device_(find_device(options.device.empty() ? suite.device : options.device,
                            options.device.empty() ? "device" : "--device")) {
    report_.suite = suite.name;
    report_.description = suite.description;
    report_.device = device_.name;
    report_.created = utc_timestamp();
    report_.seed = options.seed.value_or(drawn_seed());
    report_.environment = to_json(current_environment());
    report_.before = report_.after = current_conditions();
    report_.left_out = options.left_out;
    for (const auto& spec : suite.cases)
      if (matches_glob(spec.name, options.case_glob))
        specs_.push_back(&spec);
      else
        report_.left_out.push_back(spec.name);
    if (specs_.empty())
      throw Error("--case " + options.case_glob, "no case of the suite has such a name",
                  unknown_name_hint(options.case_glob, case_names(suite)));
    records_.resize(specs_.size());
    for (std::size_t i = 0; i < specs_.size(); ++i) report_.cases.push_back(result_of(i));
  }

  Report go() {
    report_.interrupted = true;  // until the run has ended: if something ends it earlier, the written report says so
    publish();
    test_device();
    report_.interrupted = !run_rounds();
    publish();
    return report_;
  }

 private:
  /// Asks for the device's self-test. If it failed, every case gets a record that says so, and none is due any more.
  void test_device() {
    const auto test = options_.selftest ? options_.selftest(device_) : std::nullopt;
    if (EndingSignals::received() != 0) return;  // it was ended together with this process
    if (!test && device_.needs_selftest) report_.environment[kSelfTestKey] = "left out";
    if (!test) return;
    report_.environment[kSelfTestKey] = test->summary();
    if (test->passed()) return;
    print_status(format_error("", test->reason(), test->hint()));
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      records_[i].push_back(not_trusted(*specs_[i], *test));
      report_.cases[i] = result_of(i);
    }
  }

  /// Runs the rounds. Returns false if a signal ended them early.
  bool run_rounds() {
    std::mt19937_64 random(static_cast<std::uint64_t>(report_.seed));
    for (auto round = due(); !round.empty(); round = due()) {
      shuffle(round, random);
      for (const std::size_t i : in_dependency_order(with_pairs_together(round)))
        if (!run_one(i)) return false;
    }
    return true;
  }

  /// Cases that need another process.
  std::vector<std::size_t> due() const {
    std::vector<std::size_t> cases;
    for (std::size_t i = 0; i < specs_.size(); ++i)
      if (wants_another(i)) cases.push_back(i);
    return cases;
  }

  bool wants_another(std::size_t i) const {
    const auto& done = records_[i];
    if (done.empty()) return true;
    if (done.back().status != Record::Status::kOk) return false;
    if (static_cast<std::int64_t>(done.size()) >= most_processes(*specs_[i])) return false;
    constexpr std::size_t kFewest = 3;  // an interval from 2 processes says little
    if (done.size() < kFewest || wants_another_pair(i)) return true;
    std::vector<GateConfig> gates = applicable_gates(i);
    const auto relatives = std::erase_if(gates, [](const auto& gate) { return !gate.relative_to.empty(); });
    return (relatives == 0 || !gates.empty()) && !measured_enough(done, gates, specs_[i]->precision);
  }

  std::int64_t most_processes(const CaseSpec& spec) const {
    return options_.processes > 0 ? options_.processes : spec.processes;
  }

  /// Whether a ratio that this case is part of (its own, or one of another case to it) is undecided, and another pair
  /// can still help.
  bool wants_another_pair(std::size_t i) const {
    for (std::size_t above = 0; above < specs_.size(); ++above)
      for (const auto& gate : applicable_gates(above)) {
        if (gate.relative_to.empty()) continue;
        const auto below = index_of(gate.relative_to);
        if (!below || (above != i && *below != i)) continue;
        const auto& processes = records_[above];
        const auto& base = records_[*below];
        const bool works = !processes.empty() && !base.empty() && processes.back().status == Record::Status::kOk &&
                           base.back().status == Record::Status::kOk;
        if (works && find_metric(gate.metric, specs_[above]->metrics)->nature == Nature::kTimed &&
            !ratio_decided(gate, processes, base))
          return true;
      }
    return false;
  }

  std::optional<std::size_t> index_of(const std::string& name) const {
    const auto found = std::ranges::find(specs_, name, &CaseSpec::name);
    if (found == specs_.end()) return {};
    return static_cast<std::size_t>(found - specs_.begin());
  }

  std::vector<GateConfig> applicable_gates(std::size_t i) const {
    std::vector<GateConfig> gates;
    for (const auto& gate : specs_[i]->gates)
      if (gate.applies_on(report_.machine())) gates.push_back(gate);
    return gates;
  }

  /// The case's own gates, and those of other cases that are relative to it. A process of the case stops when these
  /// gates are decided, as far as this case can decide them.
  std::vector<GateConfig> gates_to_decide(std::size_t i) const {
    std::vector<GateConfig> gates = applicable_gates(i);
    for (std::size_t other = 0; other < specs_.size(); ++other)
      for (const auto& gate : applicable_gates(other))
        if (gate.relative_to == specs_[i]->name) gates.push_back(gate);
    return gates;
  }

  /// The same order, except that a case comes right after the first of the cases that it is compared with. So both run
  /// under much the same conditions.
  std::vector<std::size_t> with_pairs_together(const std::vector<std::size_t>& round) const {
    std::vector<std::size_t> ordered;
    for (const std::size_t i : round)
      for (const std::size_t other : round)
        if (root_of(other) == root_of(i) && std::ranges::find(ordered, other) == ordered.end())
          ordered.push_back(other);
    return ordered;
  }

  /// The case at the beginning of a chain of `relative_to`.
  std::size_t root_of(std::size_t i) const {
    for (const auto& gate : specs_[i]->gates)
      if (const auto base = gate.relative_to.empty() ? std::nullopt : index_of(gate.relative_to); base && *base < i)
        return root_of(*base);
    return i;
  }

  /// The drawn order, except that a case waits for the cases that it comes after. There are no cycles: read_suite and
  /// suite_of_report let `after` name only earlier cases.
  std::vector<std::size_t> in_dependency_order(std::vector<std::size_t> round) const {
    std::vector<std::size_t> ordered;
    while (!round.empty()) {
      const auto ready = std::ranges::find_if(round, [&](std::size_t i) {
        return std::ranges::none_of(round, [&](std::size_t other) {
          const auto& after = specs_[i]->after;
          return other != i && std::ranges::find(after, specs_[other]->name) != after.end();
        });
      });
      ordered.push_back(*ready);
      round.erase(ready);
    }
    return ordered;
  }

  /// Runs one process of a case. Returns false if a signal ended it.
  bool run_one(std::size_t i) {
    if (EndingSignals::received() != 0) return false;
    const CaseSpec& spec = *specs_[i];
    auto& done = records_[i];
    print_status(done.empty() ? fmt::format("{} ...", spec.name)
                              : fmt::format("{}, process {} ...", spec.name, done.size() + 1));
    const double started_s = now_s() - begin_s_;
    const CaseRequest request{.name = spec.name,
                              .type = spec.type,
                              .device = device_.name,
                              .budget_s = spec.budget_s,
                              .config = spec.config,
                              .metrics = spec.metrics,
                              .gates = gates_to_decide(i),
                              .precision = spec.precision};
    Record record = run_isolated(request);
    // The process was ended together with this one, which is no fault of the case.
    if (EndingSignals::received() != 0 && record.status == Record::Status::kError) return false;
    record.started_s = started_s;
    done.push_back(std::move(record));
    note_cut_before(i);
    judge_again(i);
    publish();
    return true;
  }

  /// Notes that the case worked on something unfinished, if a case that it came after made only some of its steps.
  void note_cut_before(std::size_t i) {
    for (const auto& name : specs_[i]->after)
      if (const auto before = index_of(name))
        for (const auto& record : records_[*before]) {
          if (const std::string cut = record.steps_cut(); !cut.empty())
            records_[i].back().notes[kCameAfterCutNote] = fmt::format("{}: {}", name, cut);
          if (const std::string cut = record.came_after_cut(); !cut.empty())
            records_[i].back().notes[kCameAfterCutNote] = cut;
        }
  }

  /// The judged result of that case, from the records so far.
  CaseResult result_of(std::size_t i) const {
    const CaseSpec& spec = *specs_[i];
    const auto processes = records_[i].empty() ? std::vector<Record>{not_run(spec)} : records_[i];
    CaseResult result =
        evaluate_case(spec.name, spec.type, spec.budget_s, spec.gates, processes, report_.machine(), report_.cases);
    result.most_processes = most_processes(spec);
    result.precision = spec.precision;
    result.after = spec.after;
    return result;
  }

  /// Judges a case anew after one of its processes, and also the cases that are measured against it.
  void judge_again(std::size_t i) {
    for (std::size_t other = 0; other < specs_.size(); ++other) {
      const bool against_it = std::ranges::find(specs_[other]->gates, specs_[i]->name, &GateConfig::relative_to) !=
                              specs_[other]->gates.end();
      if (other == i || against_it) report_.cases[other] = result_of(other);
    }
  }

  /// Hands out the report as it is now.
  void publish() {
    report_.after = current_conditions();
    if (options_.on_case) options_.on_case(report_);
  }

  const RunOptions& options_;
  const Device& device_;
  Report report_;
  std::vector<const CaseSpec*> specs_;
  std::vector<std::vector<Record>> records_;  // for each case, the records of its processes
  double begin_s_ = now_s();
};

}  // namespace

Report run_suite(const Suite& suite, const RunOptions& options) { return SuiteRun(suite, options).go(); }

Record run_case_here(const Json& json, const std::string& where) {
  const CaseRequest request = request_from_json(json, where);
  const double begin_s = now_s();
  const Turns turns;
  Record record = new_record(request.name, request.type, request.config, request.metrics);
  const Conditions before = current_conditions();
  try {
    const CaseType* type = find_case_type(request.type);
    if (!type) throw Error(where, fmt::format("unknown case type '{}'", request.type));
    const Device& device = find_device(request.device, "device");
    device.prepare();
    plant_slowdown(request.planted_slowdown);
    Context context{request.name, device, request.budget_s, {}};
    context.measuring.end_s = begin_s + request.budget_s;
    context.measuring.max_blocks = request.max_blocks;
    context.measuring.enough = [&](const Record& so_far) {
      return measured_enough({so_far}, request.gates, request.precision);
    };
    if (request.in_turns) {
      context.measuring.turns = &turns;
      context.measuring.probe = false;   // the other process takes the place of the probe
      context.measuring.block_s = 0.04;  // short, so that both processes meet the same state of the machine
      // Both sides make all blocks.
      context.measuring.enough = [](const Record&) { return false; };
    }
    type->run(request.config, context, record);
  } catch (const std::exception& e) {
    const Failure failure = describe(e);
    record.status = Record::Status::kError;
    record.reason = failure.where.empty() ? failure.message : failure.where + ": " + failure.message;
    record.hint = failure.hint;
  }
  record.before = before;
  record.after = current_conditions();
  return record;
}

}  // namespace bench::harness
