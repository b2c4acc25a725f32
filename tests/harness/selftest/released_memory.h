#pragma once

#include <dlfcn.h>

namespace bench::tests {

/// Gives the memory that was freed in this process back to the system, where its allocator (TCMalloc, if there is one)
/// would keep it. What a test takes afterwards is then new memory.
inline void release_freed_memory() {
  if (void* release = ::dlsym(RTLD_DEFAULT, "MallocExtension_ReleaseFreeMemory"))
    reinterpret_cast<void (*)()>(release)();
}

}  // namespace bench::tests
