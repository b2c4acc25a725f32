#pragma once

#include "harness/core/error.h"

#include <CLI/CLI.hpp>

namespace bench::harness {

// One file per verb. Each adds its subcommand to `app`; when the subcommand is given, its callback does the work and
// sets `exit`, or throws.
void add_run(CLI::App& app, Exit& exit);
void add_list(CLI::App& app, Exit& exit);
void add_check(CLI::App& app, Exit& exit);
void add_env(CLI::App& app, Exit& exit);
void add_train(CLI::App& app, Exit& exit);
void add_generate(CLI::App& app, Exit& exit);
void add_tokenizer(CLI::App& app, Exit& exit);
void add_compare(CLI::App& app, Exit& exit);
void add_verify(CLI::App& app, Exit& exit);
void add_render(CLI::App& app, Exit& exit);
void add_ab(CLI::App& app, Exit& exit);
void add_calibrate(CLI::App& app, Exit& exit);
void add_history(CLI::App& app, Exit& exit);
void add_plan(CLI::App& app, Exit& exit);
void add_selftest(CLI::App& app, Exit& exit);
void add_memory(CLI::App& app, Exit& exit);
void add_ppl(CLI::App& app, Exit& exit);
void add_case(CLI::App& app, Exit& exit);

}  // namespace bench::harness
