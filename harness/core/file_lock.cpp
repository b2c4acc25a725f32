#include "harness/core/file_lock.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/progress.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>

#include <fmt/format.h>

namespace bench::harness {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] ? name.data() : "an unknown machine";
}

/// What the holder wrote into the file, or a text saying that it hasn't written yet.
std::string holder(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  return text.empty() ? "another process" : text.substr(0, text.find('\n'));
}

}  // namespace

LockState try_lock(const Descriptor& file) {
  if (::flock(file.number(), LOCK_EX | LOCK_NB) == 0) return LockState::kOurs;
  return errno == EWOULDBLOCK ? LockState::kTaken : LockState::kUnknown;
}

FileLock::FileLock(const std::filesystem::path& file, const std::string& hint)
    : file_(::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666)) {
  if (!file_.is_open())
    throw Error::at_run_time(file.string(), fmt::format("cannot be opened: {}", std::strerror(errno)),
                             "may the folder be written to?");
  const LockState state = try_lock(file_);
  if (state == LockState::kTaken)
    throw Error(file.parent_path().string(), fmt::format("is in use by {}", holder(file)), hint);
  if (state == LockState::kUnknown)
    print_status(fmt::format("warning: {} cannot be locked ({}): see to it that nothing else writes there",
                             file.parent_path().string(), std::strerror(errno)));
  const std::string text = fmt::format("process {} on {} since {}\n", ::getpid(), host_name(), utc_timestamp());
  // The content is only for people. If it can't be written, because the disk is full, the lock holds all the same.
  if (::ftruncate(file_.number(), 0) == 0 && ::write(file_.number(), text.data(), text.size()) < 0) return;
}

FileLock::~FileLock() {
  if (::ftruncate(file_.number(), 0) != 0) return;  // the content is read only while the lock is held
}

}  // namespace bench::harness
