#include "harness/cli/generated_texts.h"

#include <ostream>
#include <string_view>
#include <utility>

namespace bench::harness {
namespace {

/// Byte pieces come one by one, and half a syllable decodes to U+FFFD.
std::string without_incomplete_character(std::string text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  while (text.ends_with(kReplacement)) text.resize(text.size() - kReplacement.size());
  return text;
}

}  // namespace

GeneratedTexts::GeneratedTexts(std::vector<std::vector<std::int64_t>> prompts, Decode decode, std::ostream& out)
    : decode_(std::move(decode)), out_(out) {
  for (auto& prompt : prompts) {
    std::string whole = decode_(prompt);
    texts_.push_back({std::move(prompt), std::move(whole)});
  }
  print_current();
}

void GeneratedTexts::add(std::int64_t row, std::int64_t token) {
  Text& text = texts_[static_cast<std::size_t>(row)];
  text.ids.push_back(token);
  std::string whole = without_incomplete_character(decode_(text.ids));
  if (whole.size() > text.whole.size()) text.whole = std::move(whole);
  if (static_cast<std::size_t>(row) == current_) print_current();
}

void GeneratedTexts::end(std::int64_t row) {
  texts_[static_cast<std::size_t>(row)].ended = true;
  print_current();
}

void GeneratedTexts::end_all() {
  for (auto& text : texts_) text.ended = true;
  print_current();
}

void GeneratedTexts::print_current() {
  for (; current_ < texts_.size(); ++current_, printed_ = 0) {
    const Text& text = texts_[current_];
    out_ << std::string_view(text.whole).substr(printed_);
    printed_ = text.whole.size();
    if (!text.ended) break;
    out_ << "\n";
  }
  out_.flush();
}

}  // namespace bench::harness
