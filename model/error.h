#pragma once

#include <stdexcept>
#include <string>

namespace bench::model {

/// A fault in what the model was given: a config, a checkpoint file, a prompt. Never our own bugs.
struct InputError : std::runtime_error {
  InputError(std::string where_, std::string what_, std::string hint_ = "")
      : std::runtime_error(where_ + ": " + what_), where(std::move(where_)), what_is_wrong(std::move(what_)), hint(std::move(hint_)) {}
  std::string where, what_is_wrong, hint;
};

}  // namespace bench::model
