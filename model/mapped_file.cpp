#include "model/mapped_file.h"

#include "model/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace bench::model {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file) {
  throw InputError(file.string(), std::string("cannot be read: ") + std::strerror(errno));
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& file) : file_(file) {
  std::error_code failed;
  size_ = std::filesystem::file_size(file, failed);
  if (failed) throw InputError(file.string(), "cannot be read: " + failed.message());
  descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail(file);
}

MappedFile::~MappedFile() { ::close(descriptor_); }

torch::Tensor MappedFile::map(std::uint64_t begin, std::uint64_t bytes) const {
  if (bytes == 0) return torch::empty({0}, torch::kUInt8);
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t before = begin % page, length = before + bytes;  // a mapping begins with a page
  void* const pages =
      ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor_, static_cast<off_t>(begin - before));
  if (pages == MAP_FAILED) fail(file_);
  return torch::from_blob(
      static_cast<std::uint8_t*>(pages) + before, {static_cast<std::int64_t>(bytes)},
      [pages, length](void*) { ::munmap(pages, length); }, torch::kUInt8);
}

}  // namespace bench::model
