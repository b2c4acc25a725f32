#include "harness/cli/verbs.h"
#include "harness/core/files.h"
#include "harness/isolated.h"
#include "harness/runner.h"

#include <memory>

namespace bench::harness {

void add_case(CLI::App& app, Exit& exit) {
  auto files = std::make_shared<std::pair<std::string, std::string>>();
  CLI::App* verb = app.add_subcommand("case", "Run one case in this process (what bench run starts)");
  verb->group("");  // not shown in --help
  verb->add_option("request", files->first)->required();
  verb->add_option("record", files->second)->required();
  verb->callback([files, &exit] {
    const Record record = run_case_here(parse_json(read_file(files->first), files->first), files->first);
    write_file_atomically(files->second, to_json(record).dump());
    exit = record.status == Record::Status::kError ? Exit::kCaseError : Exit::kOk;
  });
}

}  // namespace bench::harness
