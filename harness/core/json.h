#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace bench::harness {

using Json = nlohmann::ordered_json;

/// A number as JSON. JSON has no NaN and no infinity, so these become null.
inline Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

/// The JSON as text. Bytes that are not UTF-8 (in a file's name or a message of the system) become U+FFFD. Json::dump()
/// alone would throw at them, and one bad letter would lose the results of hours. `indent`: -1 for one line.
std::string dumped(const Json& json, int indent = -1);

/// The whole number that the JSON holds. Throws Json::type_error for anything else, since converting a number like
/// 1e300 would be undefined.
std::int64_t whole_number(const Json& json);

/// Parses JSON. Throws Error at `where`, with the byte at fault, if the text is cut off, malformed or nested too deep.
Json parse_json(const std::string& text, const std::string& where);

}  // namespace bench::harness
