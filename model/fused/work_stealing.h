#pragma once

#include <cstdint>
#include <functional>

namespace bench::model {

/// Calls f(piece) once for each of 0 .. pieces - 1, on all threads. A thread goes along a stretch of its own from the
/// front, so that memory is read in one stream (pieces taken in turns were slower by a tenth to a third), and when it
/// is done takes pieces from the back of the others': on a shared machine threads are not equally fast.
void for_each_stealing(std::int64_t pieces, const std::function<void(std::int64_t)>& f);

}  // namespace bench::model
