#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bench::harness {

/// A regular expression as Perl has them; ^ and $ stand for the beginning and end of each line (PCRE2).
class Regex {
 public:
  /// Throws Error for what is none.
  explicit Regex(const std::string& pattern);
  ~Regex();
  Regex(Regex&&) noexcept;

  /// What keeps a pattern from being an expression, or "".
  static std::string fault(const std::string& pattern);

  /// How many groups in brackets it has.
  std::size_t groups() const;

  struct Match {
    std::size_t begin = 0, end = 0;
    std::vector<std::string> texts;  // of the whole, then of each group; "" of one that took no part
  };
  /// The first match that begins at `begin` or later. Throws Error if looking for it takes longer than ten seconds: an
  /// expression such as (a+)+b can take more than anybody's life.
  std::optional<Match> find(const std::string& text, std::size_t begin = 0) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace bench::harness
