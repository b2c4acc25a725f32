#pragma once

#include <hwy/targets.h>

#include <gtest/gtest.h>

namespace bench::model {

/// Calls f once for each instruction set that this processor has, with kernels that use no better one.
template <class F>
void on_every_instruction_set(const F& f) {
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    const std::int64_t one = left & -left;
    hwy::GetChosenTarget().Update(one);
    SCOPED_TRACE(hwy::TargetName(one));
    f();
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace bench::model
