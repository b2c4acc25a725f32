#pragma once

#include "harness/core/descriptor.h"

#include <filesystem>
#include <string>

namespace bench::harness {

enum class LockState {
  kOurs,
  kTaken,    // by a living process
  kUnknown,  // this file system has no locks
};

/// Tries to lock an open file or folder. The system frees the lock when the last copy of the descriptor is closed,
/// however its process ends. So unlike a stored process id, the lock never outlives its holder.
LockState try_lock(const Descriptor& file);

/// A file that is locked while the object lives, and whose content says who holds it. The file stays when the lock
/// goes: a holder who removed it could remove the file of the next holder.
class FileLock {
 public:
  /// Throws Error with `hint` if another process holds the lock; the error names that process, its machine and since
  /// when. Where the file system has no locks, this only prints a warning.
  FileLock(const std::filesystem::path& file, const std::string& hint);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  Descriptor file_;
};

}  // namespace bench::harness
