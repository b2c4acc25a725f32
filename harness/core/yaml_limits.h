#pragma once

#include <cstddef>
#include <string>

namespace bench::harness {

/// How deep objects and lists may be nested in a file, in YAML and JSON. The code that reads, writes or shows a
/// document calls itself for each level, so without a limit a file full of brackets would end this process, or become a
/// page of its size squared.
inline constexpr std::size_t kDeepestNesting = 100;

/// Throws Error at file:line:column for valid YAML that may not be in a config: a second document (of which a reader of
/// one would see nothing), a merge key, nesting deeper than kDeepestNesting, aliases that together stand for more than
/// 10,000 values, or an alias inside the value that it stands for. Throws YAML::ParserException for text that is not
/// YAML.
void check_yaml(const std::string& text, const std::string& file);

}  // namespace bench::harness
