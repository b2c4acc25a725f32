#include "harness/training/attempt.h"

#include "harness/core/error.h"
#include "model/error.h"

#include <filesystem>

namespace bench::harness {

std::optional<std::string> why_failed(const std::function<void()>& work) {
  try {
    work();
    return std::nullopt;
  } catch (const Error& e) {
    return format_error(e.where(), e.message(), "");
  } catch (const model::ModelError& e) {
    return e.what();
  } catch (const std::filesystem::filesystem_error& e) {
    return format_error(e.path1().string(), e.code().message(), "");
  }
}

}  // namespace bench::harness
