#include "tests/model/device/operators.h"

#include <set>

#include <ATen/record_function.h>

namespace bench::model {
namespace {

const std::set<std::string> kFree = {"aten::view",  "aten::narrow",     "aten::unsqueeze", "aten::transpose",
                                     "aten::chunk", "aten::empty_like", "aten::empty"};

thread_local std::vector<std::string>* names = nullptr;
thread_local int depth = 0;

std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction& function) {
  if (depth++ == 0 && names && !kFree.contains(function.name())) names->emplace_back(function.name());
  return nullptr;
}
void leave(const at::RecordFunction&, at::ObserverContext*) { --depth; }

}  // namespace

std::vector<std::string> outermost_operators(const std::function<void()>& f) {
  std::vector<std::string> found;
  names = &found;
  const auto handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(enter, leave).scopes({at::RecordScope::FUNCTION}));
  f();
  at::removeCallback(handle);
  names = nullptr;
  return found;
}

}  // namespace bench::model
