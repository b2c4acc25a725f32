// Makes this processor an older one for our kernels, as ATEN_CPU_CAPABILITY does for LibTorch's and ONEDNN_MAX_CPU_ISA
// for oneDNN's. BENCH_TEST_TARGET=AVX2 names one of Highway's targets: those above it are not taken, and bf16 products
// are taken for missing, as they are on the processors that have no more than AVX2 or AVX3.
#include "model/fused/products.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <hwy/targets.h>
#include <memory>
#include <string>

namespace {

/// What holds while the tests run, or nothing without a limit. Ends a program whose processor lacks the target.
std::unique_ptr<bench::model::AssumedBf16Products> limit_instructions() {
  const char* wanted = std::getenv("BENCH_TEST_TARGET");
  if (!wanted) return nullptr;
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;  // the best of them is the lowest bit
    if (wanted != std::string(hwy::TargetName(target))) continue;
    hwy::DisableTargets(target - 1);
    return std::make_unique<bench::model::AssumedBf16Products>(false);
  }
  std::fprintf(stderr, "BENCH_TEST_TARGET=%s: this processor has no such target\n", wanted);
  std::exit(77);  // which ctest counts as skipped
}

const auto limit = limit_instructions();

}  // namespace
