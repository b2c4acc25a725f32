#include "harness/cli/plan_text.h"
#include "harness/cli/verbs.h"
#include "harness/devices/device_names.h"

#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string suite, machine, device = "auto";
  std::vector<std::string> set, matrix;
  bool as_json = false;
};

}  // namespace

void add_plan(CLI::App& app, Exit&) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("plan", "Say by arithmetic which targets of a suite a machine can reach");
  verb->add_option("suite", options->suite, "suite file; suites/ and configs/ are also built in")->required();
  auto* machine =
      verb->add_option("--machine", options->machine,
                       "name of a file in configs/machines, such as m4-max-40 [this machine, probed for a second]");
  verb->add_option("--device", options->device, device_choices() + ": what to probe, without --machine")
      ->excludes(machine)
      ->capture_default_str();
  verb->add_option("--set", options->set, "KEY=VALUE, as in bench run; may be given several times")
      ->allow_extra_args(false);
  verb->add_option("--matrix", options->matrix, "KEY=V1,V2, as in bench run")->allow_extra_args(false);
  verb->add_flag("--json", options->as_json, "print JSON instead of text");
  verb->callback([options] {
    const Suite suite = read_suite(options->suite, options->set, options->matrix);
    const Plan plan =
        make_plan(suite, options->machine.empty() ? probe_ceilings(find_device(options->device, "--device"))
                                                  : ceilings_of(read_machine(options->machine, "--machine")));
    if (options->as_json)
      std::cout << dumped(to_json(plan), 2) << "\n";
    else
      write_plan_text(plan, std::cout);
  });
}

}  // namespace bench::harness
