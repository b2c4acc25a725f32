#pragma once

#include "harness/core/descriptor.h"

#include <filesystem>
#include <string>

namespace bench::harness {

/// A folder in TMPDIR for as long as the object lives. What a process that was killed left behind is removed when the
/// next one is made: each holds a lock that ends with its process, whatever ends that. Throws Error.
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

/// The folder that is this process's TMPDIR, if it is such a one of the process that started it; else "".
std::string inherited_scratch_folder();

}  // namespace bench::harness
