#include "harness/cli/verbs.h"
#include "harness/devices/current_environment.h"

#include <iostream>
#include <memory>

namespace bench::harness {

void add_env(CLI::App& app, Exit&) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* verb = app.add_subcommand("env", "Show the machine, the libraries and how this program was built");
  verb->add_flag("--json", *as_json, "as a report holds it");
  verb->callback([as_json] {
    const Json environment = to_json(current_environment());
    if (*as_json) {
      std::cout << dumped(environment, 2) << "\n";
      return;
    }
    for (const auto& [key, value] : environment.items())
      std::cout << fmt::format("{:<18} {}\n", key,
                               value.is_null()     ? "not told"
                               : value.is_string() ? value.get<std::string>()
                                                   : dumped(value));
  });
}

}  // namespace bench::harness
