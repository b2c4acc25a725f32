#include "harness/core/temporary.h"

#include "harness/core/error.h"
#include "harness/core/file_lock.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <vector>

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kTemporaryMark = ".bench-tmp-", kSetAsideMark = ".bench-old-";
constexpr std::ptrdiff_t kRandomDigits = 16;
constexpr std::size_t kLongestName = 200;  // a file's name may have 255 bytes, and the mark needs some
constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// Makes a name like ".final.bench-tmp-0123456789abcdef" beside "final".
fs::path random_name(const fs::path& target, std::string_view mark) {
  std::random_device random;
  const std::uint64_t number = std::uint64_t{random()} << 32 | random();
  const std::string name = target.filename().string();
  return parent_of(target) / fmt::format(".{}{}{:016x}", name.size() > kLongestName ? "" : name, mark, number);
}

/// The original name in a name made by random_name(); nothing if the name is none of ours.
std::optional<std::string> made_of(const std::string& name, std::string_view mark) {
  const std::size_t tail = mark.size() + std::size_t{kRandomDigits};
  if (name.size() < 1 + tail || name.front() != '.') return std::nullopt;
  if (name.compare(name.size() - tail, mark.size(), mark) != 0) return std::nullopt;
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!std::all_of(name.end() - kRandomDigits, name.end(), is_digit)) return std::nullopt;
  return name.substr(1, name.size() - tail - 1);
}

/// Whether the open file is still the one with this name. A process that removes stale files may have removed it
/// between its making and its lock.
bool still_there(const Descriptor& descriptor, const fs::path& path) {
  struct stat open{}, named{};
  return ::fstat(descriptor.number(), &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

Descriptor create(const fs::path& path, Temporary::Kind kind) {
  if (kind == Temporary::Kind::kFile)
    return Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  return ::mkdir(path.c_str(), 0777) == 0 ? Descriptor(::open(path.c_str(), kOpenFolder)) : Descriptor();
}

/// The lock of what a dead process left. Nothing if it can't be locked; then it must not be touched.
std::optional<Descriptor> lock_stale(const fs::path& path) {
  Descriptor found(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!found.is_open() || try_lock(found) != LockState::kOurs) return std::nullopt;
  return found;
}

void clear_stale(const fs::path& path) {
  const std::string name = path.filename().string();
  const auto aside = made_of(name, kSetAsideMark);
  if (!aside && !made_of(name, kTemporaryMark)) return;
  const auto lock = lock_stale(path);
  if (!lock) return;
  std::error_code failed;
  const fs::path place = path.parent_path() / aside.value_or("");
  if (aside && !fs::exists(fs::symlink_status(place, failed)))
    fs::rename(path, place, failed);  // the process died between its two renames
  else
    fs::remove_all(path, failed);
}

}  // namespace

fs::path parent_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

Temporary::Temporary(const fs::path& target, Kind kind) {
  remove_stale_temporaries(parent_of(target));
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    path_ = random_name(target, kTemporaryMark);
    descriptor_ = create(path_, kind);
    if (!descriptor_.is_open() && errno != EEXIST && errno != ENOENT) break;
    if (!descriptor_.is_open()) continue;
    ::flock(descriptor_.number(), LOCK_EX);  // waits for a process that checks it for staleness; may fail, see try_lock
    if (still_there(descriptor_, path_)) return;
  }
  throw Error::at_run_time(target.string(), fmt::format("cannot be written: {}", std::strerror(errno)),
                           "may the folder be written to, and is there space left?");
}

Temporary::~Temporary() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

SetAside::SetAside(const fs::path& folder)
    : folder_(folder), path_(random_name(folder, kSetAsideMark)), lock_(::open(folder.c_str(), kOpenFolder)) {
  if (lock_.is_open()) try_lock(lock_);
  std::error_code failed;
  fs::rename(folder_, path_, failed);
  if (failed) throw Error::at_run_time(folder_.string(), fmt::format("cannot be replaced: {}", failed.message()));
}

SetAside::~SetAside() {
  if (keep_) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void SetAside::put_back() {
  keep_ = true;
  std::error_code failed;
  fs::rename(path_, folder_, failed);
}

void remove_stale_temporaries(const fs::path& folder) {
  std::error_code failed;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed))
    found.push_back(entry->path());
  for (const auto& path : found) clear_stale(path);
}

}  // namespace bench::harness
