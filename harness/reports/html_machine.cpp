#include "harness/reports/html_parts.h"
#include "harness/reports/reports.h"
#include "harness/reports/summary.h"
#include "harness/reports/text.h"

#include <set>

namespace bench::harness {
namespace {

/// A value as a person reads it; bytes in GB.
std::string shown(const std::string& key, double value) {
  if (value < 0) return "not told";
  return key.ends_with("_bytes") ? format_number(value * 1e-9) + " GB" : format_number(value);
}
std::string shown(const std::string&, const std::string& value) { return value.empty() ? "not told" : value; }

struct Row {
  std::string key, help, before, after;
};

std::vector<Row> condition_rows(const Conditions& before, const Conditions& after) {
  std::vector<Row> rows;
  Conditions::fields(before, [&](const char* key, const auto& value, const char* help) {
    rows.push_back({key, help, shown(key, value), ""});
  });
  std::size_t i = 0;
  Conditions::fields(after,
                     [&](const char* key, const auto& value, const char*) { rows[i++].after = shown(key, value); });
  std::erase_if(rows, [](const Row& row) { return row.before == "not told" && row.after == "not told"; });
  return rows;
}

std::string environment_value(const Json& environment, const std::string& key) {
  const Json& value = environment.at(key);
  if (value.is_null()) return "not told";
  return value.is_number() && key.ends_with("_bytes") ? shown(key, value.get<double>())
                                                      : environment_text(environment, key);
}

}  // namespace

void write_html_machine(const Report& report, std::ostream& out) {
  out << "<h2 id=\"environment\">Environment</h2>\n<dl>\n";
  for (const auto& [key, value] : report.environment.items())
    out << fmt::format("<dt>{}<dd>{}\n", escaped(key), escaped(environment_value(report.environment, key)));
  out << "</dl>\n<h2 id=\"conditions\">Conditions before and after the run</h2>\n";
  const auto rows = condition_rows(report.before, report.after);
  if (rows.empty()) {
    out << "<p>The system told none.</p>\n";
    return;
  }
  out << "<div class=\"scroll\"><table "
         "class=\"numbers\"><thead><tr><th>condition<th>before<th>after<th></thead><tbody>\n";
  for (const auto& row : rows)
    out << fmt::format("<tr><td>{}<td>{}<td>{}<td>{}\n", row.key, escaped(row.before), escaped(row.after),
                       escaped(row.help));
  out << "</tbody></table></div>\n";
}

void write_html_glossary(const Report& report, std::ostream& out) {
  std::set<const Metric*> used;
  std::vector<DeclaredMetric> declared;
  for (const auto& one : report.cases) {
    for (const auto& value : one.metrics) used.insert(value.metric);
    declared.insert(declared.end(), one.record().declared.begin(), one.record().declared.end());
  }
  if (used.empty()) return;
  out << "<h2 id=\"glossary\">What the metrics mean</h2>\n<dl>\n";
  for (const Metric* metric : metrics_with(declared))
    if (used.contains(metric)) out << fmt::format("<dt>{}<dd>{}\n", metric->name, escaped(metric->meaning));
  out << "</dl>\n<p class=\"soft\">n is the number of samples behind a value, or of processes where there are several; "
         "0 "
         "says that the value is an estimate. Intervals hold the true value with 95 % confidence.</p>\n";
}

}  // namespace bench::harness
