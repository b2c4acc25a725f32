#pragma once

#include <stdexcept>
#include <string>

namespace bench::model {

/// An error that the user or the environment caused, described for people: where, what, hint. Never used for our own
/// bugs.
struct ModelError : std::runtime_error {
  ModelError(std::string where_, std::string what_, std::string hint_ = "")
      : std::runtime_error(where_ + ": " + what_),
        where(std::move(where_)),
        what_is_wrong(std::move(what_)),
        hint(std::move(hint_)) {}
  std::string where, what_is_wrong, hint;
};

/// An error in what the model was given: a config, a checkpoint, a prompt.
struct InputError : ModelError {
  using ModelError::ModelError;
};

/// An error while writing: no space left, no permission.
struct WriteError : ModelError {
  using ModelError::ModelError;
};

}  // namespace bench::model
