#include "harness/core/progress.h"

#include "harness/core/clock.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <unistd.h>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr double kRedrawEvery_s = 0.1, kLineEvery_s = 10;
constexpr int kBarWidth = 24;

std::string duration(double seconds) {
  const auto s = static_cast<std::int64_t>(std::lround(seconds));
  return s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60)
                  : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace

Progress::Progress(std::string label, std::int64_t total, std::string unit, bool quiet)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(std::max<std::int64_t>(total, 1)),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) == 1),
      begin_s_(now_s()),
      last_s_(terminal_ ? 0 : begin_s_) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\n", stderr);
}

std::string Progress::line(std::int64_t done, const std::string& detail) const {
  const double elapsed = std::max(now_s() - begin_s_, 1e-9);
  const double per_s = static_cast<double>(done) / elapsed;
  const std::string left = done > 0 ? duration(static_cast<double>(total_ - done) / per_s) : "?";
  const std::string rate =
      per_s >= 1 || done == 0 ? fmt::format("{:.1f} {}/s", per_s, unit_) : fmt::format("{:.1f} s each", 1 / per_s);
  return fmt::format("{}/{} {}  {}  {} left  {}", done, total_, unit_, rate, left, detail);
}

void Progress::update(std::int64_t done, const std::string& detail) {
  if (quiet_) return;
  const double now = now_s();
  if (now - last_s_ < (terminal_ ? kRedrawEvery_s : kLineEvery_s) && done < total_) return;
  last_s_ = now;
  if (!terminal_) {
    std::fputs(fmt::format("{}: {}\n", label_, line(done, detail)).c_str(), stderr);
    return;
  }
  const auto filled = static_cast<int>(kBarWidth * std::min(done, total_) / total_);
  const std::string bar = std::string(static_cast<std::size_t>(filled), '#') +
                          std::string(static_cast<std::size_t>(kBarWidth - filled), '.');
  std::fputs(fmt::format("\r\x1b[K{} [{}] {}", label_, bar, line(done, detail)).c_str(), stderr);
  drawn_ = true;
}

void print_status(const std::string& line) { std::fputs((line + "\n").c_str(), stderr); }

}  // namespace bench::harness
