#pragma once

#include "harness/core/utf8.h"

#include <filesystem>

namespace bench::harness {

/// Throws Error with line and byte unless the file is a non-empty text in UTF-8.
void check_text(const std::filesystem::path& file);

}  // namespace bench::harness
