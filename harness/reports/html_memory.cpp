#include "harness/reports/html_parts.h"
#include "harness/reports/reports.h"
#include "harness/reports/text.h"

#include <algorithm>

namespace bench::harness {
namespace {

/// What the table shows of a memory case: totals and measured parts. Of predictions the total is enough.
bool is_shown(const std::string& name, const Series& series, std::size_t lengths) {
  const bool predicted_part = name.starts_with("predicted_") && name != series::kPredictedMemoryBytes;
  return series.unit == "bytes" && series.samples.size() == lengths && !predicted_part;
}

/// Totals first, then the parts in the order in which a process comes to hold them, then the rest.
std::vector<std::string> in_order(const Record& record) {
  std::vector<std::string> names{series::kPeakMemoryBytes, series::kPredictedMemoryBytes,
                                 "program_bytes",          "weights_bytes",
                                 "optimizer_bytes",        "gradients_bytes",
                                 "kv_cache_bytes",         "step_bytes"};
  const auto first = names;
  std::erase_if(names, [&](const auto& name) { return !record.series.contains(name); });
  for (const auto& [name, series] : record.series)
    if (std::ranges::find(first, name) == first.end()) names.push_back(name);
  return names;
}

std::string column_name(std::string name) {
  if (name.ends_with("_bytes")) name.resize(name.size() - 6);
  for (char& c : name)
    if (c == '_') c = ' ';
  return name;
}

}  // namespace

void write_html_memory(const Record& record, std::ostream& out) {
  const auto& lengths = record.samples(series::kSeqLength);
  if (lengths.empty()) return;
  std::string head = "<th>sequence length";
  std::vector<std::string> rows(lengths.size());
  for (std::size_t i = 0; i < lengths.size(); ++i) rows[i] = "<tr><td>" + format_number(lengths[i]);
  for (const auto& name : in_order(record)) {
    const Series& series = record.series.at(name);
    if (!is_shown(name, series, lengths.size())) continue;
    head += fmt::format("<th>{}", escaped(column_name(name)));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] += "<td>" + format_number(series.samples[i] * 1e-9);
  }
  out << "<p class=\"soft\">Memory by sequence length, GB. The parts, the program to the step, add up to the "
         "peak.</p>\n<div class=\"scroll\"><table "
         "class=\"numbers\"><thead><tr>"
      << head << "</thead><tbody>\n";
  for (const auto& row : rows) out << row << "\n";
  out << "</tbody></table></div>\n";
}

}  // namespace bench::harness
