// Stands in front of the C library's functions for every library of this program: the linker finds the program's own
// symbols first. So what our code, the C++ library and LibTorch ask of the file system can be made to fail.
#include "tests/faults/injector.h"

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <new>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace bench::tests {
namespace {

constexpr const char* kVariable = "BENCH_FAULT";  // "KIND N BELOW"

struct Plan {
  int kind = 0;
  std::int64_t n = 0;
  char below[PATH_MAX] = "";
};
Plan plan;
std::atomic<std::int64_t> made = 0;

// A program that another one started has its plan from its environment. No allocation: operator new asks, too.
const Plan& current_plan() {
  static const bool read = [] {
    long long n = 0;
    const char* text = std::getenv(kVariable);
    if (text && std::sscanf(text, "%d %lld %4095s", &plan.kind, &n, plan.below) == 3) plan.n = n;
    return true;
  }();
  static_cast<void>(read);
  return plan;
}

bool lies_below(const char* path, const char* folder) {
  if (!path) return false;
  char here[PATH_MAX];
  return std::strstr(path[0] == '/' || !::getcwd(here, sizeof here) ? path : here, folder) != nullptr;
}

/// Whether this operation is the one that fails; errno says how.
bool fails(const char* path) {
  const Plan& now = current_plan();
  if (now.n == 0 || now.kind == static_cast<int>(Fault::kNoMemory) || !lies_below(path, now.below)) return false;
  if (++made != now.n) return false;
  if (now.kind == static_cast<int>(Fault::kKill)) ::raise(SIGKILL);
  errno = now.kind == static_cast<int>(Fault::kNoSpace) ? ENOSPC : EIO;
  return true;
}

bool allocation_fails() {
  const Plan& now = current_plan();
  return now.n != 0 && now.kind == static_cast<int>(Fault::kNoMemory) && ++made == now.n;
}

/// The path that a descriptor was opened by, in a buffer of each thread.
const char* path_of(int descriptor) {
  if (current_plan().n == 0) return nullptr;
  thread_local char path[PATH_MAX];
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = ::readlink(link, path, sizeof path - 1);
  if (length < 0) return nullptr;
  path[length] = 0;
  return path;
}

template <class F>
F* original(F*& kept, const char* name) {
  if (!kept) kept = reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
  return kept;
}

}  // namespace

void plan_fault(Fault fault, std::int64_t n, const std::string& below) {
  current_plan();
  plan.kind = static_cast<int>(fault);
  plan.n = n;
  std::snprintf(plan.below, sizeof plan.below, "%s", below.c_str());
  made = 0;
  char text[PATH_MAX + 64];
  std::snprintf(text, sizeof text, "%d %lld %s", plan.kind, static_cast<long long>(n), plan.below);
  ::setenv(kVariable, text, 1);
}

std::int64_t operations_made() { return made; }

}  // namespace bench::tests

using bench::tests::allocation_fails;
using bench::tests::fails;
using bench::tests::original;
using bench::tests::path_of;

// As the C library declares them. On systems of 64 bits open64 and fopen64 are other names of the same functions.
extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  static int (*kept)(const char*, int, ...);
  return fails(path) ? -1 : original(kept, "open")(path, flags, mode);
}
int open64(const char* path, int flags, ...) __attribute__((alias("open")));
std::FILE* fopen(const char* path, const char* mode) {
  static std::FILE* (*kept)(const char*, const char*);
  return fails(path) ? nullptr : original(kept, "fopen")(path, mode);
}
std::FILE* fopen64(const char* path, const char* mode) __attribute__((alias("fopen")));
ssize_t read(int descriptor, void* bytes, std::size_t count) {
  static ssize_t (*kept)(int, void*, std::size_t);
  return fails(path_of(descriptor)) ? -1 : original(kept, "read")(descriptor, bytes, count);
}
ssize_t write(int descriptor, const void* bytes, std::size_t count) {
  static ssize_t (*kept)(int, const void*, std::size_t);
  return fails(path_of(descriptor)) ? -1 : original(kept, "write")(descriptor, bytes, count);
}
ssize_t writev(int descriptor, const iovec* pieces, int count) {
  static ssize_t (*kept)(int, const iovec*, int);
  return fails(path_of(descriptor)) ? -1 : original(kept, "writev")(descriptor, pieces, count);
}
int fsync(int descriptor) {
  static int (*kept)(int);
  return fails(path_of(descriptor)) ? -1 : original(kept, "fsync")(descriptor);
}
int ftruncate(int descriptor, off_t length) noexcept {
  static int (*kept)(int, off_t);
  return fails(path_of(descriptor)) ? -1 : original(kept, "ftruncate")(descriptor, length);
}
int rename(const char* from, const char* to) noexcept {
  static int (*kept)(const char*, const char*);
  return fails(to) ? -1 : original(kept, "rename")(from, to);
}
int mkdir(const char* path, mode_t mode) noexcept {
  static int (*kept)(const char*, mode_t);
  return fails(path) ? -1 : original(kept, "mkdir")(path, mode);
}
int unlink(const char* path) noexcept {
  static int (*kept)(const char*);
  return fails(path) ? -1 : original(kept, "unlink")(path);
}
int remove(const char* path) noexcept {
  static int (*kept)(const char*);
  return fails(path) ? -1 : original(kept, "remove")(path);
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  static int (*kept)(int, const char*, int);
  const char* at = folder == AT_FDCWD ? path : path_of(folder);
  return fails(at) ? -1 : original(kept, "unlinkat")(folder, path, flags);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  static int (*kept)(void**, std::size_t, std::size_t);
  return allocation_fails() ? ENOMEM : original(kept, "posix_memalign")(memory, alignment, bytes);
}

}  // extern "C"

void* operator new(std::size_t bytes) {
  void* memory = allocation_fails() ? nullptr : std::malloc(bytes);
  if (!memory) throw std::bad_alloc();
  return memory;
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
