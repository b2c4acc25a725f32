#pragma once

#include <cstdint>
#include <functional>

namespace bench::model {

/// Calls f(piece) once for each of 0 .. pieces - 1, on all threads. A thread first goes along a stretch of its own from
/// the front, so that memory is read in one stream (taking pieces in turns was slower by a tenth to a third). When the
/// thread is done with its stretch, it takes pieces from the back of the other threads' stretches: on a shared machine
/// threads are not equally fast.
void for_each_stealing(std::int64_t pieces, const std::function<void(std::int64_t)>& f);

}  // namespace bench::model
