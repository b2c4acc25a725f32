#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bench::harness {

/// A regular expression in the syntax of Perl (PCRE2). ^ and $ match at the beginning and end of each line.
class Regex {
 public:
  /// Throws Error if the pattern is not a regular expression.
  explicit Regex(const std::string& pattern);
  ~Regex();
  Regex(Regex&&) noexcept;

  /// What is wrong with a pattern, or "" if it is a regular expression.
  static std::string fault(const std::string& pattern);

  /// The number of groups in brackets.
  std::size_t groups() const;

  struct Match {
    std::size_t begin = 0, end = 0;
    std::vector<std::string> texts;  // of the whole match, then of each group; "" for a group that took no part
  };
  /// The first match that begins at `begin` or later. Throws Error if the search takes longer than ten seconds: an
  /// expression such as (a+)+b can take longer than a lifetime.
  std::optional<Match> find(const std::string& text, std::size_t begin = 0) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace bench::harness
