#pragma once

#include <cstdint>
#include <string>

namespace bench::harness {

/// Shows the progress of one piece of work on stderr: on a terminal a bar with rate and time left, elsewhere a plain
/// line now and then.
class Progress {
 public:
  /// `unit`: what `total` counts ("steps"). Shows nothing when `quiet`.
  Progress(std::string label, std::int64_t total, std::string unit, bool quiet = false);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `detail` is shown at the end of the line: "loss 3.21".
  void update(std::int64_t done, const std::string& detail = "");

 private:
  std::string line(std::int64_t done, const std::string& detail) const;

  std::string label_, unit_;
  std::int64_t total_;
  bool quiet_, terminal_, drawn_ = false;
  double begin_s_, last_s_;
};

/// Prints a line on stderr.
void print_status(const std::string& line);

}  // namespace bench::harness
