#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace bench::harness {

/// How much of a validation text is also in the training text.
struct TextOverlap {
  bool same = false;                      // the same paragraphs in the same order
  std::int64_t paragraphs = 0, both = 0;  // of the validation text, without empty lines; both: in both texts

  double share() const;
  /// "12 of 340 paragraphs of valid.txt (3.5 %) stand in train.txt as well: ..."; empty if no paragraph does.
  std::string warning(const std::filesystem::path& train, const std::filesystem::path& valid) const;
};

/// Compares the hashes of paragraphs, reading each text once. Memory: some 50 bytes for each paragraph of the
/// validation text.
TextOverlap text_overlap(const std::filesystem::path& train, const std::filesystem::path& valid);

}  // namespace bench::harness
