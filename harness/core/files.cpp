#include "harness/core/files.h"

#include "harness/core/error.h"
#include "harness/core/temporary.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <streambuf>
#include <vector>

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSpaceHint = "is the disk full or the folder read-only? what was there before is untouched";

Error cannot(const fs::path& path, const char* done, int reason) {
  return Error::at_run_time(
      path.string(), fmt::format("cannot be {}{}{}", done, reason ? ": " : "", reason ? std::strerror(reason) : ""),
      kSpaceHint);
}

/// Writes all bytes, however few the system takes at once. Returns 0, or the errno of the call that failed.
int write_all(const Descriptor& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// Sends what a stream writes to a descriptor. Unlike std::filebuf it remembers why a write failed.
class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(const Descriptor& file) : file_(file) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }
  int failure() const { return failure_; }

 protected:
  int_type overflow(int_type next) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(next, traits_type::eof())) sputc(traits_type::to_char_type(next));
    return traits_type::not_eof(next);
  }
  int sync() override {
    if (failure_ == 0) failure_ = write_all(file_, {pbase(), static_cast<std::size_t>(pptr() - pbase())});
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return failure_ == 0 ? 0 : -1;
  }

 private:
  const Descriptor& file_;
  int failure_ = 0;
  std::array<char, 1 << 16> buffer_;
};

/// Some file systems report a failed write only when the file is closed. So a copy of the descriptor is closed: closing
/// the last descriptor would free a lock.
int close_copy(const Descriptor& open) {
  const int copy = ::dup(open.number());
  return copy < 0 || ::close(copy) != 0 ? errno : 0;
}

/// `named` is the path that an error names.
void sync(const Descriptor& open, const fs::path& named) {
#ifdef F_FULLFSYNC  // macOS: fsync leaves the data in the drive's own cache
  const int failed = ::fcntl(open.number(), F_FULLFSYNC);
#else
  const int failed = ::fsync(open.number());
#endif
  // EINVAL, ENOTSUP: this file system can't sync, which is no fault of the content.
  if (failed && errno != EINVAL && errno != ENOTSUP) throw cannot(named, "synced", errno);
  if (const int reason = close_copy(open)) throw cannot(named, "synced", reason);
}

void sync_path(const fs::path& path, const fs::path& named) {
  const Descriptor open(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!open.is_open()) throw cannot(named, "synced", errno);
  sync(open, named);
}

/// Syncs all files and folders below, and the folder itself: a file is not safely on the disk unless its folder is.
void sync_folder(const fs::path& folder, const fs::path& named) {
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (const fs::file_status status = entry.symlink_status(); fs::is_regular_file(status) || fs::is_directory(status))
      sync_path(entry.path(), named);
  sync_path(folder, named);
}

void rename_into_place(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::rename(from, to, failed);
  if (failed) throw cannot(to, "replaced", failed.value());
  sync_path(parent_of(to), to);  // the new name itself
}

}  // namespace

void make_folder(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) throw Error::at_run_time(path.string(), fmt::format("cannot be created: {}", failed.message()));
}

void read_file_in_pieces(const fs::path& path, const std::function<void(std::string_view)>& take) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() && errno == ENOENT) throw Error(path.string(), "no such file");
  if (!file.is_open()) throw Error(path.string(), fmt::format("is not a readable file: {}", std::strerror(errno)));
  std::vector<char> piece(1 << 20);
  while (true) {
    const ssize_t size = ::read(file.number(), piece.data(), piece.size());
    if (size == 0) return;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EISDIR) throw Error(path.string(), "is not a readable file: it is a folder");
    if (size < 0)
      throw Error::at_run_time(path.string(), fmt::format("cannot be read to its end: {}", std::strerror(errno)));
    take({piece.data(), static_cast<std::size_t>(size)});
  }
}

std::string read_file(const fs::path& path) {
  std::string content;
  read_file_in_pieces(path, [&](std::string_view piece) { content += piece; });
  return content;
}

void write_file_atomically(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  std::error_code ignored;
  const fs::file_status there = fs::status(path, ignored);
  if (fs::exists(there) && !fs::is_regular_file(there))
    throw Error::at_run_time(path.string(), "is not a file, so no file can take its place", "choose another name");
  make_folder(parent_of(path));
  const Temporary temporary(path, Temporary::Kind::kFile);
  DescriptorBuffer buffer(temporary.descriptor());
  std::ostream out(&buffer);
  write(out);
  out.flush();
  if (!out) throw cannot(path, "written", buffer.failure());
  sync(temporary.descriptor(), path);
  rename_into_place(temporary.path(), path);
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_file_atomically(path, [&](std::ostream& out) { out << content; });
}

void write_folder_atomically(const fs::path& wanted, const std::function<void(const fs::path&)>& fill) {
  const fs::path path = wanted.has_filename() ? wanted : wanted.parent_path();  // "final/" means "final"
  const bool replaces = fs::exists(path);
  if (replaces && !fs::is_directory(path))
    throw Error::at_run_time(path.string(), "is a file, so no folder can take its place", "move it elsewhere");
  make_folder(parent_of(path));
  const Temporary temporary(path, Temporary::Kind::kFolder);
  fill(temporary.path());
  sync_folder(temporary.path(), path);
  if (!replaces) return rename_into_place(temporary.path(), path);
  // A folder can't be renamed over one that isn't empty. So the old folder is set aside for the moment between the two
  // renames, and removed only when the new one is in its place.
  SetAside old(path);
  try {
    rename_into_place(temporary.path(), path);
  } catch (...) {
    old.put_back();
    throw;
  }
}

void append_to_file(const fs::path& path, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666));
  const off_t end = file.is_open() ? ::lseek(file.number(), 0, SEEK_END) : -1;
  if (end < 0) throw cannot(path, "written", errno);
  const int write_failure = write_all(file, text), failure = write_failure ? write_failure : close_copy(file);
  if (failure == 0) return;
  if (::ftruncate(file.number(), end) != 0) throw cannot(path, "cut back to its last whole line", errno);
  throw cannot(path, "written", failure);
}

}  // namespace bench::harness
