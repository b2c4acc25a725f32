#pragma once

#include <optional>

#include <CLI/CLI.hpp>

namespace bench::harness {

/// The options --add-bos and --no-add-bos: whether texts begin with the bos token, where the checkpoint's own setting
/// is not to be used.
struct BosChoice {
  bool add = false, none = false;

  void add_to(CLI::App& verb) {
    auto* with = verb.add_flag("--add-bos", add, "begin texts with the bos token [as tokenizer_config.json says]");
    verb.add_flag("--no-add-bos", none, "begin texts without it")->excludes(with);
  }
  std::optional<bool> choice() const { return add || none ? std::optional(add) : std::nullopt; }
};

}  // namespace bench::harness
