#pragma once

#include "model/error.h"

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace bench::model {

using Json = nlohmann::ordered_json;

/// Why a text is no JSON that can be relied on. `byte`: where, counted from 1; 0 when unknown.
struct JsonError {
  std::string what;
  std::uint64_t byte = 0;
};

/// Parses JSON in which no object says a key twice: the parser by itself would keep the last of them. Throws JsonError.
Json parse_json(std::string_view text);

/// The object in a checkpoint's JSON file. Throws InputError.
Json read_json(const std::filesystem::path& file);

/// The value under `key`, or `otherwise` when it is absent or null, which Transformers writes for "the default".
template <class T>
T get_or(const Json& json, const char* key, T otherwise, const std::filesystem::path& file) {
  if (!json.contains(key) || json[key].is_null()) return otherwise;
  try {
    return json[key].get<T>();
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
