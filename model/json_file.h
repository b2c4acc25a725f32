#pragma once

#include "model/error.h"

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace bench::model {

using Json = nlohmann::ordered_json;

/// Why a text is not JSON that can be relied on. `byte` is the position of the fault, counted from 1; 0 when unknown.
struct JsonError {
  std::string what;
  std::uint64_t byte = 0;
};

/// Parses JSON in which no object has a key twice: the parser by itself would keep the last of the values. Throws
/// JsonError.
Json parse_json(std::string_view text);

/// The object in a checkpoint's JSON file. Throws InputError.
Json read_json(const std::filesystem::path& file);

/// The whole number that JSON holds. Throws Json::type_error for anything else, and for a number that T can't hold: for
/// 1e300, say, the result of get() would be undefined.
template <std::integral T>
T whole_number(const Json& json) {
  const bool fits = json.is_number_unsigned() ? std::in_range<T>(json.get<std::uint64_t>())
                                              : json.is_number_integer() && std::in_range<T>(json.get<std::int64_t>());
  if (!fits) throw Json::type_error::create(302, "expected a whole number", &json);
  return json.get<T>();
}
template <std::integral T>
std::vector<T> whole_numbers(const Json& json) {
  std::vector<T> numbers;
  for (const auto& one : json.get<std::vector<Json>>()) numbers.push_back(whole_number<T>(one));
  return numbers;
}

/// JSON as a T. Throws Json::type_error.
template <class T>
T value_of(const Json& json) {
  if constexpr (std::is_same_v<T, std::int64_t>)
    return whole_number<T>(json);
  else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>)
    return whole_numbers<std::int64_t>(json);
  else
    return json.get<T>();
}

/// The value under `key`, or `otherwise` when it is absent or null, which Transformers writes for "the default".
template <class T>
T get_or(const Json& json, const char* key, T otherwise, const std::filesystem::path& file) {
  if (!json.contains(key) || json[key].is_null()) return otherwise;
  try {
    return value_of<T>(json[key]);
  } catch (const Json::exception&) {
    throw InputError(file.string(), std::string(key) + ": has the wrong type: " + json[key].dump());
  }
}

template <class T>
T get(const Json& json, const char* key, const std::filesystem::path& file) {
  if (!json.contains(key) || json[key].is_null()) throw InputError(file.string(), std::string(key) + ": is missing");
  return get_or<T>(json, key, T{}, file);
}

}  // namespace bench::model
