#include "harness/cases/cases.h"
#include "harness/cli/verbs.h"
#include "harness/core/embedded.h"
#include "harness/devices/device.h"
#include "harness/judging/gate.h"
#include "harness/reports/reports.h"

#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

void row(const std::string& name, const std::string& text) { std::cout << fmt::format("  {:<28} {}\n", name, text); }

void list_cases() {
  for (const auto& one : case_types()) row(one.name, one.meaning);
}
void list_keys(const CaseType& type) {
  std::cout << fmt::format("{}: {}\n", type.name, type.meaning);
  for (const auto& key : type.keys())
    row(key.key, fmt::format("{}{}", key.help, key.default_value.empty() ? "" : " [" + key.default_value + "]"));
}
const char* better_text(Better better) {
  switch (better) {
    case Better::kHigher:
      return "higher is better";
    case Better::kLower:
      return "lower is better";
    case Better::kUnchanged:
      return "any change is a fault";
  }
  return "?";
}
void list_metrics() {
  for (const auto& one : metrics())
    row(one.name,
        fmt::format("{}{}, {}; of {}", one.meaning, std::string(one.unit) == "1" ? "" : fmt::format(" ({})", one.unit),
                    better_text(one.better), one.cases));
}
void list_gates() {
  for (const auto& one : gate_kinds()) row(one.name, one.meaning);
}
void list_devices() {
  for (const auto& one : devices())
    row(one.name, fmt::format("{}{}", one.meaning, one.available() ? "" : " (not on this machine)"));
}
void list_formats() {
  for (const auto& one : report_formats()) row(one.name, fmt::format("{} ({})", one.meaning, one.file));
}
void list_files() {
  for (const auto& one : embedded_files()) row(std::string(one.path), "");
}

struct Table {
  const char* name;
  void (*print)();
};
constexpr Table kTables[] = {{"cases", list_cases},     {"metrics", list_metrics}, {"gates", list_gates},
                             {"devices", list_devices}, {"formats", list_formats}, {"files", list_files}};

/// One table, the keys of one case type, or everything.
void list(const std::string& wanted) {
  std::vector<std::string> known = case_type_names();
  if (const CaseType* type = find_case_type(wanted)) return list_keys(*type);
  bool found = wanted.empty();
  for (const auto& table : kTables) {
    known.push_back(table.name);
    if (!wanted.empty() && wanted != table.name) continue;
    std::cout << table.name << "\n";
    table.print();
    found = true;
  }
  if (!found)
    throw Error("bench list", fmt::format("unknown table or case type '{}'", wanted), unknown_name_hint(wanted, known));
}

}  // namespace

void add_list(CLI::App& app, Exit&) {
  auto wanted = std::make_shared<std::string>();
  CLI::App* verb =
      app.add_subcommand("list", "Show case types, metrics, gates, devices, report formats and built-in files");
  verb->add_option("table", *wanted, "cases, metrics, gates, devices, formats or files; or a case type, for its keys");
  verb->callback([wanted] { list(*wanted); });
}

}  // namespace bench::harness
