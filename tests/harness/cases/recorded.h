#pragma once

#include "harness/cases/context.h"

namespace bench::tests {

/// What a case records: recorded(run_train, config, context).
template <class Config>
harness::Record recorded(void (*run)(const Config&, harness::Context&, harness::Record&), const Config& config,
                         harness::Context& context) {
  harness::Record record;
  run(config, context, record);
  return record;
}

}  // namespace bench::tests
