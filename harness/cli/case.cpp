#include "harness/cli/verbs.h"
#include "harness/core/files.h"
#include "harness/isolation/isolated.h"
#include "harness/running/runner.h"

#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string request, record;
  std::int64_t protocol = 0;
};

Exit run(const Options& options) {
  if (options.protocol > 0) return options.protocol == kCaseProtocol ? Exit::kOk : Exit::kUsage;
  const Record record = run_case_here(parse_json(read_file(options.request), options.request), options.request);
  write_file_atomically(options.record, dumped(to_json(record)));
  return record.status == Record::Status::kError ? Exit::kCaseError : Exit::kOk;
}

}  // namespace

void add_case(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("case", "Run one case in this process (what bench run starts)");
  verb->group("");  // not shown in --help
  verb->add_option("request", options->request);
  verb->add_option("record", options->record);
  verb->add_option("--protocol", options->protocol, "exit 0 if this program knows that version of the request");
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace bench::harness
