#include "harness/isolation/isolated.h"

#include "harness/core/clock.h"
#include "harness/core/files.h"
#include "harness/core/process.h"
#include "harness/core/scratch_folder.h"
#include "harness/core/signals.h"
#include "harness/core/turns.h"
#include "harness/host/environment.h"

#include <csignal>
#include <filesystem>
#include <thread>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

/// A case keeps to its budget itself. This limit ends a case that doesn't. It is larger than the budget, since a step
/// can't be cut short, and loading takes time too.
double kill_after_s(double budget_s) { return 4 * budget_s + 300; }

Record failed(const CaseRequest& request, std::string reason, std::string hint) {
  Record record = new_record(request.name, request.type, request.config, request.metrics);
  record.status = Record::Status::kError;
  record.reason = std::move(reason);
  record.hint = std::move(hint);
  return record;
}

Record outcome(const CaseRequest& request, const ProcessResult& process, const fs::path& record_file) {
  // Whatever it leaves then is not the whole case, also where it ended in good order.
  if (process.ended_with_us) return failed(request, "was ended together with the run", "");
  if (process.timed_out)
    return failed(request, fmt::format("did not end within {:.0f} s and was killed", kill_after_s(request.budget_s)),
                  "raise budget_s or make the case smaller");
  if (process.signal == SIGKILL)
    return failed(request, "was killed, most likely for want of memory", "lower the batch or the sequence length");
  if (process.signal != 0)
    return failed(request, fmt::format("crashed with signal {}", process.signal), "this is a bug; please report it");
  if (!fs::exists(record_file))
    return failed(request, fmt::format("left no record (exit code {})", process.exit_code),
                  "this is a bug; please report it");
  return record_from_json(parse_json(read_file(record_file), record_file.string()), record_file.string());
}

/// Runs `program case REQUEST RECORD` and returns the record.
Record run_process_of(const CaseRequest& request, const fs::path& program, bool own_group,
                      const std::vector<PassedFd>& passed) {
  const double begin = now_s();
  const EndingSignals signals;  // they end this process only once the folder is gone
  Record record;
  try {
    const ScratchFolder folder;
    const fs::path request_file = folder.path() / "request.json", record_file = folder.path() / "record.json";
    write_file_atomically(request_file, dumped(to_json(request)));
    const ProcessResult process =
        run_process({program.string(), "case", request_file.string(), record_file.string()},
                    kill_after_s(request.budget_s), own_group, passed,
                    // A killed process cleans nothing up. What it leaves there is removed with our folder.
                    {"TMPDIR=" + folder.path().string()});
    record = outcome(request, process, record_file);
  } catch (const Error& e) {
    record = failed(request, e.where() + ": " + e.message(), e.hint());
  } catch (const std::exception& e) {  // no temporary folder, text that JSON can't hold
    record = failed(request, e.what(), "");
  }
  record.wall_s = now_s() - begin;
  return record;
}

}  // namespace

Json to_json(const CaseRequest& request) {
  Json json = to_json<CaseRequest>(request);
  json["gates"] = Json::array();
  for (const auto& gate : request.gates) json["gates"].push_back(gate_json(gate));
  if (!request.metrics.empty()) json["metrics"] = to_json(request.metrics);  // older programs don't know this key
  return json;
}

CaseRequest request_from_json(const Json& json, const std::string& where) {
  try {
    CaseRequest request;
    read_json(json, request);
    if (json.contains("metrics")) request.metrics = declared_from_json(json.at("metrics"), where);
    for (const auto& gate : json.at("gates")) request.gates.push_back(gate_from_json(gate, where, request.metrics));
    return request;
  } catch (const Json::exception& e) {
    throw Error(where, fmt::format("is not a case request: {}", e.what()));
  }
}

Record run_isolated(const CaseRequest& request, bool nested) {
  return run_process_of(request, own_executable(), !nested, {});
}

std::pair<Record, Record> run_in_turns(const CaseRequest& first, const fs::path& first_program,
                                       const CaseRequest& second, const fs::path& second_program, bool first_is_first) {
  struct Side {
    TurnGiver turns;
    Record record;
    std::thread thread;
  };
  const EndingSignals signals;  // they end this process only once both sides have ended
  Side a, b;
  const auto start = [](Side& side, const CaseRequest& request, const fs::path& program) {
    const std::vector<PassedFd> passed{{side.turns.child_go_fd(), Turns::kGoFd},
                                       {side.turns.child_ready_fd(), Turns::kReadyFd}};
    side.thread = std::thread([&side, &request, &program, passed] {
      side.record = run_process_of(request, program, /*own_group=*/true, passed);
      side.turns.close_child_ends();  // the last copies: await_ready() then sees that it has ended
    });
  };
  start(a, first, first_program);
  start(b, second, second_program);
  bool a_ready = a.turns.await_ready(), b_ready = b.turns.await_ready();
  const auto turn = [](Side& side, bool& ready) {
    if (!ready) return;
    side.turns.go();
    ready = side.turns.await_ready();
  };
  while (a_ready || b_ready) {
    if (first_is_first) turn(a, a_ready);
    turn(b, b_ready);
    if (!first_is_first) turn(a, a_ready);
  }
  a.thread.join();
  b.thread.join();
  return {std::move(a.record), std::move(b.record)};
}

}  // namespace bench::harness
