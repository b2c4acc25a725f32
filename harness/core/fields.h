#pragma once

#include "harness/core/json.h"
#include "harness/core/names.h"
#include "harness/core/one_of.h"
#include "harness/core/yaml_node.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

// One list of fields serves many uses. A config is a struct with
//
//   template <class Self, class Visitor> static void fields(Self& self, Visitor&& visit) {
//     visit("key", self.member, "what it means");
//   }
//   void validate(const Require& require) const;     // optional: relations between fields
//
// Reading YAML (and JSON), writing JSON, --set and the tables of keys all use that list.
namespace bench::harness {

/// validate() calls this for each condition: (whether it holds, key at fault, what is wrong, hint).
using Require = std::function<void(bool ok, const std::string& key, const std::string& what, const std::string& hint)>;

/// For use in a validate(): checks sizes that are multiplied with each other. A size beyond 32 bits is a slip of the
/// finger, and below that no product of two sizes overflows.
void require_sizes(const Require& require, std::initializer_list<std::pair<const char*, std::int64_t>> sizes);

struct AnyVisitor {
  template <class T>
  void operator()(const char*, T&, const char*) {}
};

template <class T>
concept HasFields = requires(T& value) { std::remove_const_t<T>::fields(value, AnyVisitor{}); };
template <class T>
concept HasValidate = requires(const T& value, const Require& require) { value.validate(require); };

/// A config that may stand in a file of its own. In YAML one writes its path (`model: configs/model_medium.yaml`), its
/// keys in place, or both (`model: {file: configs/model_medium.yaml, num_layers: 2}`).
template <class T>
struct FileOr {
  T value;
  std::string file;    // the path it was read from, kept in the report; empty when written in place
  bool given = false;  // false: nobody wrote it, value is the default
};

/// A number that the user may leave to the program by writing `auto`.
struct CountOrAuto {
  std::int64_t count = 0;
  bool automatic = false;
};
inline void to_json(Json& json, const CountOrAuto& value) { json = value.automatic ? Json("auto") : Json(value.count); }

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};
template <class T>
struct IsFileOr : std::false_type {};
template <class T>
struct IsFileOr<FileOr<T>> : std::true_type {};

void read_scalar(const YamlNode& node, bool& value);
void read_scalar(const YamlNode& node, std::int64_t& value);
void read_scalar(const YamlNode& node, CountOrAuto& value);
void read_scalar(const YamlNode& node, double& value);
void read_scalar(const YamlNode& node, std::string& value);
/// Throws Error if the text is none of `choices`.
void read_choice(const YamlNode& node, const std::vector<std::string>& choices, std::string& value);

template <class T>
void read_value(const YamlNode& node, T& value);

/// Reads the fields of one mapping. Several structs may share a mapping; finish() then rejects the keys that none of
/// them knows.
class FieldReader {
 public:
  explicit FieldReader(YamlNode node) : node_(std::move(node)), present_(node_.keys()) {}

  template <class T>
  void operator()(const char* key, T& value, const char*) {
    known_.push_back(key);
    const YamlNode child = node_.child(key);
    if (child.defined()) read_value(child, value);
  }
  template <class T>
  void read(T& config) {
    T::fields(config, *this);
  }
  /// Calls validate() and turns what it finds into an error at the position of the key at fault.
  template <class T>
  void check(const T& config) const {
    if constexpr (HasValidate<T>)
      config.validate([&](bool ok, const std::string& key, const std::string& what, const std::string& hint) {
        if (!ok) throw at(key).error(what, hint);
      });
  }
  void allow(const char* key) { known_.push_back(key); }
  void finish() const;

 private:
  YamlNode at(const std::string& key) const;

  YamlNode node_;
  std::vector<std::string> present_, known_;
};

/// Reads a whole config from its mapping. Throws Error unless every key is known, every value has the right type, and
/// validate() is content.
template <class T>
T read_config(const YamlNode& node, T config = {}) {
  FieldReader reader(node);
  reader.read(config);
  reader.finish();
  reader.check(config);
  return config;
}

template <class T>
void read_file_or(const YamlNode& node, FileOr<T>& ref) {
  ref.given = true;
  if (node.yaml().IsScalar()) {
    read_scalar(node, ref.file);
    ref.value = read_config<T>(node.included(ref.file));
    return;
  }
  FieldReader reader(node);
  std::string base;
  reader("file", base, "");
  reader("read_from", ref.file, "");  // written by a report, next to the full list of keys
  if (!base.empty()) ref.value = read_config<T>(node.child("file").included(base));
  if (!base.empty()) ref.file = base;
  reader.read(ref.value);
  reader.finish();
  reader.check(ref.value);
}

template <class T>
void read_value(const YamlNode& node, T& value) {
  if constexpr (IsFileOr<T>::value) {
    read_file_or(node, value);
  } else if constexpr (HasFields<T>) {
    value = read_config<T>(node, value);
  } else if constexpr (IsOptional<T>::value) {
    if (node.yaml().IsNull()) {
      value.reset();
    } else {
      value.emplace();
      read_value(node, *value);
    }
  } else if constexpr (IsOneOf<T>::value) {
    read_choice(node, T::choices(), value.value);
  } else if constexpr (IsVector<T>::value) {
    value.clear();
    if (node.yaml().IsScalar()) return read_value(node, value.emplace_back());  // a list of one needs no brackets
    if (!node.yaml().IsSequence()) throw node.error("expected a list", "write it as [a, b, c]");
    for (std::size_t i = 0; i < node.yaml().size(); ++i) read_value(node.element(i), value.emplace_back());
  } else {
    read_scalar(node, value);
  }
}

template <class T>
Json to_json(const T& value) {
  if constexpr (IsFileOr<T>::value) {
    Json json = to_json(value.value);
    if (!value.file.empty()) json["read_from"] = value.file;
    return json;
  } else if constexpr (HasFields<T>) {
    Json json = Json::object();
    T::fields(value, [&](const char* key, const auto& field, const char*) { json[key] = to_json(field); });
    return json;
  } else if constexpr (IsOptional<T>::value) {
    return value ? to_json(*value) : Json(nullptr);
  } else if constexpr (IsOneOf<T>::value) {
    return Json(value.value);
  } else if constexpr (IsVector<T>::value) {
    Json json = Json::array();
    for (const auto& element : value) json.push_back(to_json(element));
    return json;
  } else if constexpr (IsMap<T>::value) {
    Json json = Json::object();
    for (const auto& [name, element] : value) json[name] = to_json(element);
    return json;
  } else if constexpr (std::is_same_v<T, double>) {
    return number_or_null(value);
  } else {
    return Json(value);
  }
}

/// Reads what to_json() wrote; null becomes the NaN that it stands for. Use this only for JSON that this program wrote
/// itself. What people write is read by read_config(), whose errors name the line. Throws Json::exception where a field
/// is missing or has another type.
template <class T>
void read_json(const Json& json, T& value) {
  if constexpr (HasFields<T>) {
    T::fields(value, [&](const char* key, auto& field, const char*) { read_json(json.at(key), field); });
  } else if constexpr (IsVector<T>::value) {
    value.clear();
    for (const auto& element : json.get_ref<const Json::array_t&>()) read_json(element, value.emplace_back());
  } else if constexpr (IsMap<T>::value) {
    value.clear();
    for (const auto& [name, element] : json.get_ref<const Json::object_t&>()) read_json(element, value[name]);
  } else if constexpr (std::is_same_v<T, double>) {
    value = json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    value = whole_number(json);
  } else {
    json.get_to(value);
  }
}

/// Like to_json(), but without the fields that equal `defaults`, so that a program that lacks the newest keys can read
/// the result too.
template <class T>
Json without_defaults(const T& value, const Json& defaults) {
  if constexpr (IsFileOr<T>::value) {
    Json json = without_defaults(value.value, to_json(decltype(value.value){}));
    if (!value.file.empty()) json["read_from"] = value.file;
    return json;
  } else if constexpr (IsOptional<T>::value) {
    return value ? without_defaults(*value, to_json(typename T::value_type{})) : Json(nullptr);
  } else if constexpr (HasFields<T>) {
    Json json = Json::object();
    T::fields(value, [&]<class F>(const char* key, const F& field, const char*) {
      bool written = to_json(field) != defaults[key];
      if constexpr (IsFileOr<F>::value) written = field.given;
      if (written) json[key] = without_defaults(field, defaults[key]);
    });
    return json;
  } else {
    return to_json(value);
  }
}

struct FieldHelp {
  std::string key, default_value, help;
};

/// The keys of a config with their defaults and meanings. Nested keys are written as a.b.
template <class T>
std::vector<FieldHelp> describe_fields(const T& config = {}, const std::string& prefix = "") {
  std::vector<FieldHelp> rows;
  T::fields(config, [&]<class F>(const char* key, const F& field, const char* help) {
    if constexpr (HasFields<F>) {
      for (auto& row : describe_fields(field, prefix + key + ".")) rows.push_back(std::move(row));
    } else if constexpr (IsFileOr<F>::value) {
      rows.push_back({prefix + key, "", help});
    } else if constexpr (IsOneOf<F>::value) {
      rows.push_back({prefix + key, dumped(to_json(field)), fmt::format("{}: {}", alternatives(F::choices()), help)});
    } else {
      rows.push_back({prefix + key, dumped(to_json(field)), help});
    }
  });
  return rows;
}

}  // namespace bench::harness
