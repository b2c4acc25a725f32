#pragma once

#include "model/tensor.h"

#include <cstdint>
#include <filesystem>

namespace bench::model {

/// A file that is open so that parts of it can be mapped.
class MappedFile {
 public:
  /// Throws InputError when the file can't be opened.
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::uint64_t size() const { return size_; }
  /// Maps `bytes` bytes from `begin` on, which must lie in the file, as uint8 [bytes] on the CPU. The tensor's memory
  /// consists of pages of the file, which the first reader brings in. Writing to them changes no file. Each part is a
  /// mapping of its own: its memory is released with its last tensor, whatever becomes of the other parts and of this
  /// object. Throws InputError.
  torch::Tensor map(std::uint64_t begin, std::uint64_t bytes) const;

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace bench::model
