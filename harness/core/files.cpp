#include "harness/core/files.h"

#include "harness/core/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSpaceHint = "is the disk full or the folder read-only? what was there before is untouched";

void sync_path(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  if (descriptor < 0)
    throw Error::at_run_time(path.string(), fmt::format("cannot be synced: {}", std::strerror(errno)));
#ifdef F_FULLFSYNC  // macOS: fsync leaves the data in the drive's own cache
  const int failed = ::fcntl(descriptor, F_FULLFSYNC);
#else
  const int failed = ::fsync(descriptor);
#endif
  const int reason = errno;
  ::close(descriptor);
  if (failed && reason != EINVAL && reason != ENOTSUP)  // this file system can't sync, which is no fault of the content
    throw Error::at_run_time(path.string(), fmt::format("cannot be synced: {}", std::strerror(reason)), kSpaceHint);
}

fs::path temporary_beside(const fs::path& path) {
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  make_folder(parent);
  return parent / fmt::format(".{}.tmp{}", path.filename().string(), ::getpid());
}

void rename_into_place(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::rename(from, to, failed);
  if (failed) throw Error::at_run_time(to.string(), fmt::format("cannot be replaced: {}", failed.message()));
  sync_path(to.has_parent_path() ? to.parent_path() : fs::path("."));  // the new name itself
}

/// Removes a temporary file or folder when a write fails half-way.
struct Cleanup {
  fs::path path;
  ~Cleanup() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

}  // namespace

void make_folder(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) throw Error::at_run_time(path.string(), fmt::format("cannot be created: {}", failed.message()));
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path))
    throw Error(path.string(), fs::exists(path) ? "is not a readable file" : "no such file");
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

void write_file_atomically(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  const Cleanup temporary{temporary_beside(path)};
  std::ofstream out(temporary.path, std::ios::binary);
  if (out) write(out);
  out.close();
  if (!out)
    throw Error::at_run_time(path.string(), fmt::format("cannot be written: {}", std::strerror(errno)), kSpaceHint);
  sync_path(temporary.path);
  rename_into_place(temporary.path, path);
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_file_atomically(path, [&](std::ostream& out) { out << content; });
}

void write_folder_atomically(const fs::path& wanted, const std::function<void(const fs::path&)>& fill) {
  const fs::path path = wanted.has_filename() ? wanted : wanted.parent_path();  // "final/" means "final"
  const Cleanup temporary{temporary_beside(path)};
  std::error_code failed;
  fs::remove_all(temporary.path, failed);
  make_folder(temporary.path);
  fill(temporary.path);
  for (const auto& entry : fs::recursive_directory_iterator(temporary.path))
    if (entry.is_regular_file()) sync_path(entry.path());
  // A folder can't be renamed over a full one: the old is set aside for the moment between the two renames, and removed
  // only when the new one stands in its place.
  const fs::path old = temporary.path.string() + ".old";
  const bool replaces = fs::exists(path);
  if (replaces) rename_into_place(path, old);
  try {
    rename_into_place(temporary.path, path);
  } catch (const Error& e) {
    if (replaces) fs::rename(old, path, failed);
    if (replaces && failed) throw Error::at_run_time(e.where(), e.message(), "the old content is in " + old.string());
    throw;
  }
  if (replaces) fs::remove_all(old, failed);
}

}  // namespace bench::harness
