#include "harness/core/scratch_folder.h"

#include "harness/core/error.h"
#include "harness/core/file_lock.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr const char *kPrefix = "bench-case-", *kLockFile = "lock";

/// Whether the path is a folder of ours, and not a link that somebody put there in a folder that all may write to.
bool is_scratch_folder(const fs::path& path) {
  struct stat found;
  return path.filename().string().starts_with(kPrefix) && ::lstat(path.c_str(), &found) == 0 &&
         S_ISDIR(found.st_mode) && found.st_uid == ::geteuid();
}

/// Takes the lock of a folder. The result is not open if another process holds the lock, or if the folder has no lock
/// file. A lock ends with the process that holds it; a process id could by now belong to another process, or to one in
/// another container.
Descriptor locked(const fs::path& folder, int flags) {
  Descriptor lock(::open((folder / kLockFile).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600));
  return lock.is_open() && try_lock(lock) == LockState::kOurs ? std::move(lock) : Descriptor();
}

/// Removes a folder, its lock file last. So if something in it can't be removed, the next process that looks still
/// finds that nobody holds the folder.
void remove_folder(const fs::path& folder) {
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed))
    if (entry->path().filename() != kLockFile && (fs::remove_all(entry->path(), failed), failed)) return;
  if (failed) return;
  ::unlink((folder / kLockFile).c_str());
  ::rmdir(folder.c_str());
}

/// Removes a folder that no process holds.
void remove_if_abandoned(const fs::path& folder) {
  if (!is_scratch_folder(folder)) return;
  if (!fs::exists(folder / kLockFile)) {
    // This removes only an empty folder: one whose lock is gone already, or one that was just made. Its maker then
    // makes another one.
    ::rmdir(folder.c_str());
    return;
  }
  if (const Descriptor lock = locked(folder, 0); lock.is_open()) remove_folder(folder);
}

void remove_abandoned(const fs::path& parent) {
  std::error_code failed;
  for (fs::directory_iterator entry(parent, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed))
    remove_if_abandoned(entry->path());
}

}  // namespace

ScratchFolder::ScratchFolder() {
  const fs::path parent = fs::temp_directory_path();
  remove_abandoned(parent);
  do {
    std::string name = (parent / (std::string(kPrefix) + "XXXXXX")).string();
    if (!::mkdtemp(name.data()))
      throw Error::at_run_time(name, std::string("no temporary folder can be made: ") + std::strerror(errno));
    path_ = name;
    // Without a lock (a file system that has none) only we remove the folder.
    lock_ = locked(path_, O_CREAT);
  } while (!lock_.is_open() && !fs::exists(path_));  // another process removed it before it had its lock
}

ScratchFolder::~ScratchFolder() { remove_folder(path_); }

std::string inherited_scratch_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder && is_scratch_folder(folder) ? folder : "";
}

}  // namespace bench::harness
