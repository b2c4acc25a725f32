#pragma once

#include "harness/core/descriptor.h"

#include <filesystem>
#include <string>

namespace bench::harness {

/// A folder in TMPDIR that exists for as long as the object lives. A folder that a killed process left behind is
/// removed when the next scratch folder is made: each folder has a lock that ends with its process, however the process
/// ends. Throws Error.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  Descriptor lock_;
};

/// This process's TMPDIR, if that is a scratch folder made by the process that started this one; else "".
std::string inherited_scratch_folder();

}  // namespace bench::harness
