#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace bench::harness {

/// How much of a validation text stands in the training text as well.
struct TextOverlap {
  bool same = false;                      // the same paragraphs in the same order
  std::int64_t paragraphs = 0, both = 0;  // of the validation text, empty lines left out

  double share() const;
  /// "12 of 340 paragraphs of valid.txt (3.5 %) stand in train.txt as well: ..."; empty when there are none.
  std::string warning(const std::filesystem::path& train, const std::filesystem::path& valid) const;
};

/// By the hashes of paragraphs: reads each text once. Memory: some 50 bytes for each paragraph of the validation text.
TextOverlap text_overlap(const std::filesystem::path& train, const std::filesystem::path& valid);

}  // namespace bench::harness
