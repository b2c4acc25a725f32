#include <iostream>
#include <memory>

#include "harness/cases/cases.h"
#include "harness/cli/verbs.h"
#include "harness/core/embedded.h"
#include "harness/devices/device.h"
#include "harness/gate.h"
#include "harness/reports/reports.h"

namespace bench::harness {
namespace {

void row(const std::string& name, const std::string& text) { std::cout << fmt::format("  {:<28} {}\n", name, text); }

void list_cases(const std::string& type) {
  std::cout << "cases\n";
  for (const auto& one : case_types()) {
    row(one.name, one.meaning);
    if (type != one.name) continue;
    for (const auto& key : one.keys()) row("  " + key.key, fmt::format("{}{}", key.help, key.default_value.empty() ? "" : " [" + key.default_value + "]"));
  }
}

void list_metrics() {
  std::cout << "metrics\n";
  for (const auto& one : metrics())
    row(one.name, fmt::format("{}{}, {} is better", one.meaning, std::string(one.unit) == "1" ? "" : fmt::format(" ({})", one.unit),
                              one.better == Better::kHigher ? "higher" : "lower"));
}

void list_rest() {
  std::cout << "gates\n";
  for (const auto& one : gate_kinds()) row(one.name, one.meaning);
  std::cout << "devices\n";
  for (const auto& one : devices()) row(one.name, fmt::format("{}{}", one.meaning, one.available() ? "" : " (not on this machine)"));
  std::cout << "formats\n";
  for (const auto& one : report_formats()) row(one.name, fmt::format("{} ({})", one.meaning, one.file));
  std::cout << "built in\n";
  for (const auto& one : embedded_files()) row(std::string(one.path), "");
}

}  // namespace

void add_list(CLI::App& app, Exit&) {
  auto type = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("list", "Show case types, metrics, gates, devices, report formats and built-in files");
  verb->add_option("case", *type, "also show the keys of this case type")->check([](const std::string& name) {
    return find_case_type(name) ? "" : fmt::format("unknown case type '{}'; {}", name, unknown_name_hint(name, case_type_names()));
  });
  verb->callback([type] {
    list_cases(*type);
    if (!type->empty()) return;
    list_metrics();
    list_rest();
  });
}

}  // namespace bench::harness
