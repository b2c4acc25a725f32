#pragma once

#include "harness/judging/report.h"

#include <ostream>
#include <string>

namespace bench::harness {

/// This many cases are shown with plots and configs. Further cases are shown with their metrics only, so that a page of
/// thousands stays usable.
inline constexpr std::size_t kMostDetailedCases = 200;

/// A verdict as a word with a symbol and a frame of its own.
std::string verdict_badge(Verdict verdict);
/// The anchor of a case.
std::string case_anchor(std::size_t index);

// The sections of a report's page.
void write_html_verdicts(const Report& report, std::ostream& out);
void write_html_case(const CaseResult& one, std::size_t index, bool detailed, std::ostream& out);
/// The parts of a memory case by sequence length.
void write_html_memory(const Record& record, std::ostream& out);
void write_html_machine(const Report& report, std::ostream& out);
/// Writes what the metrics in the report mean.
void write_html_glossary(const Report& report, std::ostream& out);

}  // namespace bench::harness
