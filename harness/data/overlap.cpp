#include "harness/data/overlap.h"

#include "harness/core/hash.h"
#include "harness/data/text.h"

#include <fstream>
#include <functional>
#include <unordered_map>

#include <fmt/format.h>

namespace bench::harness {
namespace {

/// Calls `use` with each paragraph. Returns the hash of all paragraphs, which doesn't depend on how lines end.
std::string each_paragraph(const std::filesystem::path& text, const std::function<void(const std::string&)>& use) {
  std::ifstream in = open_text(text);
  Xxh128 hash;
  for (std::string line; next_line(in, line, text.string());) {
    if (line.empty()) continue;
    use(line);
    hash.update(line);
    hash.update("\n");
  }
  return hash.hex();
}

}  // namespace

double TextOverlap::share() const {
  return paragraphs > 0 ? static_cast<double>(both) / static_cast<double>(paragraphs) : 0;
}

std::string TextOverlap::warning(const std::filesystem::path& train, const std::filesystem::path& valid) const {
  if (both == 0) return "";
  return fmt::format(
      "{} of {} paragraphs of {} ({:.3g} %) stand in {} as well: the model has seen them, so its validation is better "
      "than it should be",
      both, paragraphs, valid.string(), 100 * share(), train.string());
}

TextOverlap text_overlap(const std::filesystem::path& train, const std::filesystem::path& valid) {
  TextOverlap overlap;
  std::unordered_map<std::size_t, std::int64_t> times;  // by hash of paragraph; 0 once the training text has it
  const std::hash<std::string> hash_of;
  const std::string valid_hash = each_paragraph(valid, [&](const std::string& paragraph) {
    ++overlap.paragraphs;
    ++times[hash_of(paragraph)];
  });
  const std::string train_hash = each_paragraph(train, [&](const std::string& paragraph) {
    const auto found = times.find(hash_of(paragraph));
    if (found == times.end()) return;
    overlap.both += found->second;
    found->second = 0;
  });
  overlap.same = train_hash == valid_hash;
  return overlap;
}

}  // namespace bench::harness
