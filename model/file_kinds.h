#pragma once

#include "model/error.h"

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace bench::model {

/// This many bytes from a file's beginning are enough to tell whether the file is a Git LFS pointer.
inline constexpr std::size_t kLongestMark = 64;

/// Throws InputError if a file with this beginning is a Git LFS pointer: what Git LFS leaves in the place of a large
/// file.
inline void refuse_git_lfs_pointer(std::string_view beginning, const std::filesystem::path& file) {
  if (!beginning.starts_with("version https://git-lfs.github.com/spec/v1")) return;
  throw InputError(file.string(), "is a Git LFS pointer, not the file itself",
                   "fetch it: git lfs pull, or download it again");
}

}  // namespace bench::model
