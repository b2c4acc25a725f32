#include "harness/cli/memory_text.h"

#include "harness/reports/text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace bench::harness {
namespace {

void print_table(const std::vector<MeasuredPeak>& peaks, std::ostream& out) {
  out << fmt::format("\n{:>5} {:>10} {:>9} {:>9} {:>7}", "batch", "seq_length", "measured", "predicted", "off");
  for (const auto& [component, bytes] : peaks[0].parts) out << fmt::format(" {:>9}", component.name);
  out << "\n";
  for (const auto& m : peaks) {
    out << fmt::format("{:>5} {:>10} {:>9.3f}", m.batch, m.seq_length, m.bytes / 1e9);
    if (std::isnan(m.predicted_bytes))
      out << fmt::format(" {:>9} {:>7}", "unread", "");
    else
      out << fmt::format(" {:>9.3f} {:>+6.1f}%", m.predicted_bytes / 1e9, 100 * (m.predicted_bytes / m.bytes - 1));
    for (const auto& [component, bytes] : m.parts) out << fmt::format(" {:>9.3f}", bytes / 1e9);
    out << "\n";
  }
  out << "GB of 1e9 bytes. step: activations, logits, temporaries, and what the allocator keeps in holes.\n";
}

/// A bar for each combination, its parts one after the other, and a mark where the budget ends.
void print_bars(const std::vector<MeasuredPeak>& peaks, double budget_bytes, std::ostream& out) {
  constexpr double kColumns = 73;
  double most = budget_bytes;
  for (const auto& m : peaks) most = std::max(most, m.bytes);
  out << "\n";
  for (const auto& m : peaks) {
    std::string bar;
    int drawn = 0;
    double bytes = 0;
    for (const auto& [component, part] : m.parts)
      for (bytes += part; drawn < static_cast<int>(bytes / most * kColumns + 0.5); ++drawn) bar += component.bar;
    const int budget_at = static_cast<int>(budget_bytes / most * kColumns + 0.5);
    for (; drawn < budget_at; ++drawn) bar += drawn == budget_at - 1 ? "|" : " ";
    out << fmt::format("{:>13} {} {:.3f}\n", fmt::format("{} x {}", m.batch, m.seq_length), bar, m.bytes / 1e9);
  }
  out << "             ";
  for (const auto& [component, bytes] : peaks[0].parts) out << fmt::format(" {} {} ", component.bar, component.name);
  out << (budget_bytes > 0 ? " | budget\n" : "\n");
}

void print_fits(const MemoryFindings& found, std::ostream& out) {
  const MemoryCalibration& c = found.calibration;
  out << fmt::format(
      "\nWithin {} ({:.3f} GB). The prediction was {:+.1f} .. {:+.1f} % off in {}, and is corrected\n"
      "by them below:\n",
      found.budget, found.budget_bytes / 1e9, 100 * c.lowest, 100 * c.highest,
      plural(found.peaks.size(), "measurement"));
  for (const auto& fit : found.fits) {
    const std::string what = fit.of_length ? fmt::format("longest sequence at batch {}", fit.held)
                                           : fmt::format("largest batch at length {}", fit.held);
    const std::string limit = fit.of_length && fit.largest == found.longest ? ", the model's longest" : "";
    out << fmt::format("  {:<32} {:>7}  {} {:.3f} GB{}\n", what,
                       fit.largest == 0 ? "none" : std::to_string(fit.largest),
                       fit.measured       ? "measured"
                       : fit.largest == 0 ? "1 is predicted to take"
                                          : "predicted",
                       fit.bytes / 1e9, limit);
  }
}

}  // namespace

void write_memory_text(const MemoryFindings& found, std::ostream& out) {
  out << fmt::format("\n{}, {}{}, {} on {} ({})\n", found.model, found.mode,
                     found.checkpointing ? " with gradient checkpointing" : "", found.dtype, found.device,
                     found.machine);
  print_table(found.peaks, out);
  print_bars(found.peaks, found.budget_bytes, out);
  if (!found.fits.empty()) print_fits(found, out);
}

}  // namespace bench::harness
