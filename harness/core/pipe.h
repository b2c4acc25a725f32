#pragma once

#include "harness/core/descriptor.h"

namespace bench::harness {

/// A new pipe. Programs that this process starts inherit neither end, unless one is passed to them. The numbers of both
/// ends are above the numbers under which a started program gets its ends, so passing one end overwrites no other.
struct Pipe {
  /// Throws Error.
  Pipe();

  Descriptor read_end, write_end;
};

}  // namespace bench::harness
