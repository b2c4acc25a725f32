#pragma once

#include "model/error.h"

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace bench::model {

/// So many bytes from a file's beginning tell whether it is a Git LFS pointer.
inline constexpr std::size_t kLongestMark = 64;

/// Throws InputError if a file that begins like that is what Git LFS leaves in the place of a large file.
inline void refuse_git_lfs_pointer(std::string_view beginning, const std::filesystem::path& file) {
  if (beginning.rfind("version https://git-lfs.github.com/spec/v1", 0) != 0) return;
  throw InputError(file.string(), "is a Git LFS pointer, not the file itself",
                   "fetch it: git lfs pull, or download it again");
}

}  // namespace bench::model
