#include "harness/reports/html_parts.h"
#include "harness/reports/summary.h"
#include "harness/reports/text.h"

namespace bench::harness {
namespace {

const char* symbol(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "\u2713";  // check mark
    case Verdict::kExpectedFail:
      return "\u2248";  // almost equal
    case Verdict::kFail:
      return "\u2717";  // ballot X
    case Verdict::kNotJudged:
      return "?";
    case Verdict::kError:
      return "!";
  }
  return "";
}

const char* words(Verdict verdict) {
  if (verdict == Verdict::kExpectedFail) return "expected fail";
  return verdict == Verdict::kNotJudged ? "not judged" : verdict_name(verdict);
}

void write_gate(const JudgedGate& gate, std::ostream& out) {
  const GateResult& result = *gate.result;
  out << fmt::format("<tr><td>{}<td><a href=\"#{}\">{}</a><td>{}<td>{}<td>{}<td>{}\n", verdict_badge(result.verdict),
                     case_anchor(gate.case_index), escaped(gate.of->name), result.gate.metric,
                     escaped(measured_text(gate)), escaped(result.gate.text()), escaped(why(result)));
}

}  // namespace

std::string verdict_badge(Verdict verdict) {
  return fmt::format("<span class=\"verdict {}\">{} {}</span>", verdict_name(verdict), symbol(verdict), words(verdict));
}

std::string case_anchor(std::size_t index) { return fmt::format("case-{}", index + 1); }

void write_html_verdicts(const Report& report, std::ostream& out) {
  out << "<h2 id=\"verdicts\">Verdicts</h2>\n";
  const auto gates = gates_by_urgency(report);
  if (gates.empty()) {
    out << "<p>This suite has no gates.</p>\n";
    return;
  }
  out << "<div class=\"scroll\"><table class=\"gates\"><thead><tr><th>verdict<th>case<th>metric<th>measured [95 % "
         "interval]<th>target<th>why</thead><tbody>\n";
  for (const auto& gate : gates) write_gate(gate, out);
  out << "</tbody></table></div>\n";
}

}  // namespace bench::harness
