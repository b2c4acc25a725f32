#pragma once

#include <string_view>
#include <vector>

namespace bench::harness {

struct EmbeddedFile {
  std::string_view path;  // from the repository root: "suites/quick.yaml"
  std::string_view content;
};

/// The suites and configs that are built into the program, so that it works without its repository. The build writes
/// this list.
const std::vector<EmbeddedFile>& embedded_files();

}  // namespace bench::harness
