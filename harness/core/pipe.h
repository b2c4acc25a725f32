#pragma once

#include "harness/core/descriptor.h"

namespace bench::harness {

/// A new pipe, which no program inherits that this process starts, unless it is passed an end. The ends' numbers are
/// above those that a started program gets them under, so that passing one overwrites no other.
struct Pipe {
  /// Throws Error.
  Pipe();

  Descriptor read_end, write_end;
};

}  // namespace bench::harness
