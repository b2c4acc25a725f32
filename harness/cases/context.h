#pragma once

#include "harness/measuring/measure.h"

#include <string>

namespace bench::harness {

/// What a case may use besides its config.
struct Context {
  std::string case_name;
  const Device& device;
  double budget_s = 120;     // a case ends itself at about this time
  MeasureOptions measuring;  // for what it times
};

}  // namespace bench::harness
