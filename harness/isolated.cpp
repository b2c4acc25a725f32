#include "harness/isolated.h"

#include "harness/core/clock.h"
#include "harness/core/files.h"
#include "harness/core/process.h"
#include "harness/environment.h"

#include <csignal>
#include <filesystem>
#include <unistd.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

/// A case keeps its budget itself; this ends one that doesn't: a step can't be cut short, and loading takes time too.
double kill_after_s(double budget_s) { return 4 * budget_s + 300; }

struct TemporaryFolder {
  fs::path path;
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "bench-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw Error::at_run_time(name, "no temporary folder can be made");
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

Record failed(const CaseRequest& request, std::string reason, std::string hint) {
  Record record;
  record.name = request.name;
  record.type = request.type;
  record.config = request.config;
  record.status = Record::Status::kError;
  record.reason = std::move(reason);
  record.hint = std::move(hint);
  return record;
}

Record outcome(const CaseRequest& request, const ProcessResult& process, const fs::path& record_file) {
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

}  // namespace

Json parse_json(const std::string& text, const std::string& where) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    throw Error(fmt::format("{}: byte {}", where, e.byte), "is not JSON", "was the file cut off?");
  }
}

Json to_json(const CaseRequest& request) {
  return {{"name", request.name},
          {"type", request.type},
          {"device", request.device},
          {"budget_s", request.budget_s},
          {"config", request.config}};
}

CaseRequest request_from_json(const Json& json, const std::string& where) {
  try {
    return {json.at("name"), json.at("type"), json.at("device"), json.at("budget_s"), json.at("config")};
  } catch (const Json::exception& e) {
    throw Error(where, fmt::format("is not a case request: {}", e.what()));
  }
}

Record run_isolated(const CaseRequest& request, bool nested) {
  const double begin = now_s();
  Record record;
  try {
    const TemporaryFolder folder;
    const fs::path request_file = folder.path / "request.json", record_file = folder.path / "record.json";
    write_file_atomically(request_file, to_json(request).dump());
    const ProcessResult process =
        run_process({own_executable().string(), "case", request_file.string(), record_file.string()},
                    kill_after_s(request.budget_s), !nested);
    record = outcome(request, process, record_file);
  } catch (const Error& e) {
    record = failed(request, e.where() + ": " + e.message(), e.hint());
  } catch (const std::exception& e) {  // no temporary folder, text that JSON can't hold
    record = failed(request, e.what(), "");
  }
  record.wall_s = now_s() - begin;
  return record;
}

}  // namespace bench::harness
