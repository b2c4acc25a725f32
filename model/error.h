#pragma once

#include <stdexcept>
#include <string>

namespace bench::model {

/// A fault of the user's or the world's, for people: where, what, hint. Never our own bugs.
struct ModelError : std::runtime_error {
  ModelError(std::string where_, std::string what_, std::string hint_ = "")
      : std::runtime_error(where_ + ": " + what_),
        where(std::move(where_)),
        what_is_wrong(std::move(what_)),
        hint(std::move(hint_)) {}
  std::string where, what_is_wrong, hint;
};

/// In what the model was given: a config, a checkpoint, a prompt.
struct InputError : ModelError {
  using ModelError::ModelError;
};

/// In writing: no space left, no permission.
struct WriteError : ModelError {
  using ModelError::ModelError;
};

}  // namespace bench::model
