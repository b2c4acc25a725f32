#include "harness/reports/chart.h"
#include "harness/reports/plots.h"
#include "harness/reports/text.h"

#include <algorithm>

namespace bench::harness {
namespace {

constexpr std::size_t kFewest = 3, kMostBlocks = 400;

constexpr struct {
  double Block::* per_s;
  const char* label;
  Mark mark;
} kSpeeds[] = {{&Block::matmul_flops_per_s, "matrix products", Mark::kDot},
               {&Block::read_bytes_per_s, "memory reads", Mark::kTriangle}};

/// A block, when it began since the run did, and whether something disturbed it.
struct Shown {
  const Block* block;
  double begin_s;
  bool disturbed;
};

/// The blocks to show, of each process.
std::vector<std::vector<Shown>> shown_blocks(const CaseResult& one, std::size_t all) {
  std::vector<std::vector<Shown>> shown;
  for (const auto& record : one.processes) {
    auto& process = shown.emplace_back();
    const auto disturbances = record.disturbances();
    const std::size_t most =
        all <= kMostBlocks ? all : std::max<std::size_t>(2, kMostBlocks * record.blocks.size() / all);
    for (const std::size_t i : thinned(record.blocks.size(), most))
      process.push_back({&record.blocks[i], record.started_s + record.blocks[i].begin_s, !disturbances[i].empty()});
  }
  return shown;
}

/// One speed in % of its median, a line for each process: they may have run far apart.
std::vector<std::vector<Point>> lines_of(const std::vector<std::vector<Shown>>& shown, double Block::* per_s) {
  std::vector<double> speeds;
  for (const auto& process : shown)
    for (const auto& one : process)
      if (one.block->*per_s > 0) speeds.push_back(one.block->*per_s);
  const double median = quantile(speeds, 0.5);
  std::vector<std::vector<Point>> lines;
  for (const auto& process : shown) {
    auto& line = lines.emplace_back();
    for (const auto& one : process)
      if (one.block->*per_s > 0) line.push_back({one.begin_s, 100 * (one.block->*per_s) / median});
  }
  return lines;
}

/// Marks the blocks that did not count, in a row at the foot of the chart.
void mark_uncounted(Chart& chart, const std::vector<std::vector<Shown>>& shown, double foot) {
  std::vector<Point> warmup, disturbed;
  for (const auto& process : shown)
    for (const auto& one : process) {
      if (one.block->warmup)
        warmup.push_back({one.begin_s, foot});
      else if (one.disturbed)
        disturbed.push_back({one.begin_s, foot});
    }
  chart.marks(warmup, Mark::kRing, 2);
  if (!warmup.empty()) chart.explain_mark(Mark::kRing, 2, "warm-up");
  chart.marks(disturbed, Mark::kCross, 1);
  if (!disturbed.empty()) chart.explain_mark(Mark::kCross, 1, "disturbed");
}

}  // namespace

std::string plot_probe(const CaseResult& one) {
  std::size_t all = 0;
  for (const auto& record : one.processes) all += record.blocks.size();
  if (all < kFewest) return "";
  const auto shown = shown_blocks(one, all);
  std::vector<double> times, percent;
  for (const auto& process : shown)
    for (const auto& block : process) times.push_back(block.begin_s);
  for (const auto& speed : kSpeeds)
    for (const auto& line : lines_of(shown, speed.per_s))
      for (const auto& point : line) percent.push_back(point.y);
  if (percent.empty()) return "";
  const auto [low, high] = std::ranges::minmax(percent);
  const double foot = low - 0.2 * std::max(1.0, high - low);
  percent.push_back(foot);
  Chart chart("Speed of the machine beside each block", axis_over("seconds since the run began", times),
              axis_over("speed probe, % of its median", percent), 190);
  for (int series = 0; const auto& speed : kSpeeds) {
    for (const auto& line : lines_of(shown, speed.per_s)) {
      chart.line(line, series);
      chart.marks(line, speed.mark, series);
    }
    chart.explain_mark(speed.mark, series++, speed.label);
  }
  mark_uncounted(chart, shown, foot);
  if (all > kMostBlocks) chart.note(fmt::format("About {} of {} blocks shown.", kMostBlocks, grouped(all)));
  return chart.figure();
}

}  // namespace bench::harness
