#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bench::harness {

/// The known name nearest to `name` by edit distance, or "" when none is near enough for `name` to be a slip of the
/// finger.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

/// A hint for an unknown name: "did you mean 'x'? known: a, b, c". Empty when `known` is.
std::string unknown_name_hint(std::string_view name, const std::vector<std::string>& known);

/// Throws Error at `where` if `text` is none of `choices`. `what` says what the text should be, like "dtype".
void check_choice(const std::string& text, const std::vector<std::string>& choices, const std::string& where,
                  const std::string& what);

/// "a, b or c".
std::string alternatives(const std::vector<std::string>& names);

/// True if `name` matches the shell pattern `glob` (only * and ? are special). Throws Error for a pattern of more than
/// 200 bytes. Matching takes at most the product of the two lengths, so with this limit the time grows only with the
/// name, however many stars there are.
bool matches_glob(std::string_view name, std::string_view glob);

}  // namespace bench::harness
