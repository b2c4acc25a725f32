#include "harness/core/json.h"

#include "harness/core/error.h"
#include "harness/core/yaml_limits.h"

#include <optional>

#include <fmt/format.h>

namespace bench::harness {
namespace {

/// The byte, counted from 1, at which a JSON text is nested deeper than kDeepestNesting.
std::optional<std::size_t> nested_too_deep(const std::string& text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\')
      ++i;  // an escaped character does not end the string
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '[' || c == '{') && ++depth > kDeepestNesting)
      return i + 1;
    else if (!quoted && (c == ']' || c == '}') && depth > 0)
      --depth;
  }
  return {};
}

}  // namespace

std::string dumped(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::int64_t whole_number(const Json& json) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (json.is_number_integer() && !(json.is_number_unsigned() && json.get<std::uint64_t>() > kMost))
    return json.get<std::int64_t>();
  throw Json::type_error::create(302, "expected a whole number, found " + dumped(json), &json);
}

Json parse_json(const std::string& text, const std::string& where) {
  if (const auto byte = nested_too_deep(text))
    throw Error(fmt::format("{}: byte {}", where, *byte),
                fmt::format("has more than {} objects and lists within each other", kDeepestNesting),
                "no file that this program writes has");
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    throw Error(fmt::format("{}: byte {}", where, e.byte), "is not JSON", "was the file cut off?");
  } catch (const Json::exception& e) {  // a number that no double holds
    throw Error(where, fmt::format("is not JSON that can be read: {}", e.what()));
  }
}

}  // namespace bench::harness
