#pragma once

#include <string>

namespace bench::harness {

/// Throws Error at file:line:column for what is YAML and yet no config: a second document (of which a reader of one
/// would see nothing), a merge key, nesting deeper than 100, aliases that stand for more than 10,000 values together or
/// for what they stand in. Throws YAML::ParserException for what is no YAML.
void check_yaml(const std::string& text, const std::string& file);

}  // namespace bench::harness
