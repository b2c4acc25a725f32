#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace bench::harness {

/// Prints prompts and their continuations, in the order of the prompts, a line each. The first text that isn't complete
/// is printed as its tokens come. A text behind it is printed when its turn comes, as far as it has got by then. Only
/// whole characters are printed.
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
  std::size_t current_ = 0;  // the text that is printed as its tokens come
  std::size_t printed_ = 0;  // bytes of that text
};

}  // namespace bench::harness
