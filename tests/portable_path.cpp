// Takes the portable path in a whole test program if BENCH_TEST_PATH says so: what a GPU's devices compute, on the CPU.
#include "model/path.h"

#include <cstdlib>
#include <string>

namespace {

const bool chosen = [] {
  const char* wanted = std::getenv("BENCH_TEST_PATH");
  if (wanted && wanted == std::string("portable")) bench::model::set_path(bench::model::Path::kPortable);
  return true;
}();

}  // namespace
