#pragma once

#include "harness/core/descriptor.h"

#include <filesystem>

namespace bench::harness {

/// A new file or folder beside `target`, with a name that nobody can know beforehand. Its maker renames it to `target`
/// when it is complete; otherwise it is removed with the object. It is locked while the object lives. The lock tells
/// other processes that it is not left over from a dead process.
class Temporary {
 public:
  enum class Kind { kFile, kFolder };

  /// First removes stale temporaries in that folder. Throws Error at `target` if the new one can't be made.
  Temporary(const std::filesystem::path& target, Kind kind);
  ~Temporary();
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// For a file, it is open for writing.
  const Descriptor& descriptor() const { return descriptor_; }

 private:
  std::filesystem::path path_;
  Descriptor descriptor_;
};

/// A folder that is moved out of the way of the folder that takes its place. It is removed with the object, unless it
/// was put back.
class SetAside {
 public:
  /// Throws Error if the folder can't be moved.
  explicit SetAside(const std::filesystem::path& folder);
  ~SetAside();
  SetAside(const SetAside&) = delete;
  SetAside& operator=(const SetAside&) = delete;

  /// Moves the folder back to its place. If that fails, the folder stays set aside, and remove_stale_temporaries()
  /// tries again another time.
  void put_back();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path folder_, path_;
  Descriptor lock_;
  bool keep_ = false;
};

/// The folder that a path lies in; "." for a mere file name.
std::filesystem::path parent_of(const std::filesystem::path& path);

/// Removes from a folder what other processes left there when they died while writing into it. A folder that such a
/// process had set aside is moved back to its place, unless something has taken that place. Leaves alone what belongs
/// to a living process, and everything where the file system has no locks.
void remove_stale_temporaries(const std::filesystem::path& folder);

}  // namespace bench::harness
