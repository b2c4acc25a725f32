#pragma once

#include "harness/core/descriptor.h"

#include <filesystem>

namespace bench::harness {

/// A new file or folder beside `target`, with a name that nobody can know beforehand, which becomes `target` or goes
/// with the object. It is locked while it lives; by that others know it from what a dead process left behind.
class Temporary {
 public:
  enum class Kind { kFile, kFolder };

  /// Throws Error at `target` if it can't be made. Removes stale ones first.
  Temporary(const std::filesystem::path& target, Kind kind);
  ~Temporary();
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Of a file: open for writing.
  const Descriptor& descriptor() const { return descriptor_; }

 private:
  std::filesystem::path path_;
  Descriptor descriptor_;
};

/// A folder moved out of the way of the one that takes its place: removed with the object, unless it was put back.
class SetAside {
 public:
  /// Throws Error if it can't be moved.
  explicit SetAside(const std::filesystem::path& folder);
  ~SetAside();
  SetAside(const SetAside&) = delete;
  SetAside& operator=(const SetAside&) = delete;

  /// If that fails the folder stays where it is, and remove_stale_temporaries() tries again another time.
  void put_back();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path folder_, path_;
  Descriptor lock_;
  bool keep_ = false;
};

/// The folder that a path lies in: "." for a mere name.
std::filesystem::path parent_of(const std::filesystem::path& path);

/// Clears a folder of what processes that died while writing into it left there. What they had set aside goes back to
/// its place if nothing took it. Leaves what belongs to a process that lives, and all where there are no locks.
void remove_stale_temporaries(const std::filesystem::path& folder);

}  // namespace bench::harness
