#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace bench::harness {

/// Prompts and what they grow into, printed in their order, a line each: the first that isn't complete as its tokens
/// come, one behind it as far as it got meanwhile. Only whole characters are printed.
class GeneratedTexts {
 public:
  using Decode = std::function<std::string(const std::vector<std::int64_t>&)>;

  /// Prints the first prompt, decoded from its tokens.
  GeneratedTexts(std::vector<std::vector<std::int64_t>> prompts, Decode decode, std::ostream& out);

  void add(std::int64_t row, std::int64_t token);
  /// The row gets no more tokens.
  void end(std::int64_t row);
  void end_all();

 private:
  struct Text {
    std::vector<std::int64_t> ids;
    std::string whole;  // without the incomplete character at its end
    bool ended = false;
  };
  void print_current();

  std::vector<Text> texts_;
  Decode decode_;
  std::ostream& out_;
  std::size_t current_ = 0;  // the one that is printed as it comes
  std::size_t printed_ = 0;  // bytes of it
};

}  // namespace bench::harness
