#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace bench::harness {

using Json = nlohmann::ordered_json;

/// A number for JSON, which has no NaN and no infinity: null then.
inline Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

/// The JSON as text. Bytes that are no UTF-8 (a file's name, a message of the system) become U+FFFD: dump() by itself
/// throws at them, and what took hours would be lost for a letter. `indent`: -1 for one line.
std::string dumped(const Json& json, int indent = -1);

/// The whole number that JSON holds. Throws Json::type_error for anything else: what 1e300 is as one is undefined.
std::int64_t whole_number(const Json& json);

/// Parses JSON; throws Error at `where`, with the byte at fault where the text is cut off, malformed or nested too
/// deep.
Json parse_json(const std::string& text, const std::string& where);

}  // namespace bench::harness
