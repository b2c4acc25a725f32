#pragma once

#include "harness/core/descriptor.h"

#include <filesystem>
#include <string>

namespace bench::harness {

enum class LockState {
  kOurs,
  kTaken,    // by a process that lives
  kUnknown,  // this file system has no locks
};

/// Tries to lock an open file or folder. The system frees the lock when the last copy of the descriptor is closed,
/// however its process ends, so unlike a process id it never outlives its holder.
LockState try_lock(const Descriptor& file);

/// A file that is locked while the object lives, and says by whom. The file stays when the lock goes: whoever removed
/// it could remove the next holder's.
class FileLock {
 public:
  /// Throws Error with `hint` if another holds it, naming that process, its machine and since when. Where the file
  /// system has no locks a warning is all that can be done.
  FileLock(const std::filesystem::path& file, const std::string& hint);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  Descriptor file_;
};

}  // namespace bench::harness
