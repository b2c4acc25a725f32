#pragma once

#include <cstddef>
#include <string>

namespace bench::harness {

/// How many objects and lists a file may have within each other, YAML and JSON. What reads, writes or shows a document
/// calls itself for each of them: a file of brackets would end this process, or become a page of its size squared.
inline constexpr std::size_t kDeepestNesting = 100;

/// Throws Error at file:line:column for what is YAML and yet no config: a second document (of which a reader of one
/// would see nothing), a merge key, nesting deeper than kDeepestNesting, aliases that stand for more than 10,000 values
/// together or for what they stand in. Throws YAML::ParserException for what is no YAML.
void check_yaml(const std::string& text, const std::string& file);

}  // namespace bench::harness
