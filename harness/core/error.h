#pragma once

#include <stdexcept>
#include <string>

namespace bench::harness {

/// Exit codes of the program; ARCHITECTURE.md says when each is used.
enum class Exit { kOk = 0, kGateFailed = 1, kUsage = 2, kCaseError = 3, kNotJudged = 4 };

/// An error caused by the user or by the outside world, never by a bug of ours. It is shown as "where: what" and, on a
/// second line, "hint: ...".
class Error : public std::runtime_error {
 public:
  /// `where` is a file, file:line:column, option or key; `hint` says what to do and may be empty.
  Error(std::string where, std::string what, std::string hint = "", Exit exit = Exit::kUsage);

  /// For an error that came up while working (no space left, a device that vanished) rather than in what the user
  /// wrote.
  static Error at_run_time(std::string where, std::string what, std::string hint = "");

  const std::string& where() const { return where_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  Exit exit() const { return exit_; }

 private:
  std::string where_, message_, hint_;
  Exit exit_;
};

/// "where: message\n  hint: hint", without the parts that are empty.
std::string format_error(const std::string& where, const std::string& message, const std::string& hint);

}  // namespace bench::harness
