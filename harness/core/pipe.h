#pragma once

namespace bench::harness {

/// Reading and writing end of a new pipe, which no program inherits that this process starts, unless it is passed one.
/// Their numbers are above those that a started program gets ends under, so that passing one overwrites no other.
/// Throws Error.
void make_pipe(int& read_end, int& write_end);

/// Sets it to -1; nothing if it is that already.
void close_and_forget(int& fd);

}  // namespace bench::harness
