#include "harness/running/matrix.h"

#include "harness/core/names.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr std::size_t kMostCases = 200;
constexpr const char *kOpen = "${{", *kClose = "}}";

/// A value for each axis.
using Values = std::vector<std::pair<std::string, YAML::Node>>;

const YAML::Node* find(const Values& values, const std::string& key) {
  for (const auto& [axis, value] : values)
    if (axis == key) return &value;
  return nullptr;
}

std::vector<std::string> names_of(const Values& values) {
  std::vector<std::string> names;
  for (const auto& [axis, value] : values) names.push_back(axis);
  return names;
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

/// The value under a key of a mapping, as the file has it. Overrides are applied later, when the value is read.
YamlNode inside(const YamlNode& map, const std::string& name, const YAML::Node& value) {
  return map.replaced(value, map.key() + "." + name, map.path() + "." + name);
}

/// The text with each placeholder replaced. Throws Error at the node if a placeholder is no axis.
std::string filled(const YamlNode& node, const Values& values) {
  std::string text = node.yaml().Scalar(), result;
  for (std::size_t begin = 0;;) {
    const std::size_t open = text.find(kOpen, begin);
    result += text.substr(begin, open - begin);
    if (open == std::string::npos) return result;
    const std::size_t close = text.find(kClose, open);
    if (close == std::string::npos) throw node.error("a placeholder is not closed", "${{axis}}");
    const std::string name = trimmed(text.substr(open + 3, close - open - 3));
    const YAML::Node* value = find(values, name);
    if (!value)
      throw node.error(
          fmt::format("'{}' is no axis of the case's matrix", name),
          values.empty() ? "it has none: matrix: {batch: [1, 4]}" : unknown_name_hint(name, names_of(values)));
    result += value->Scalar();
    begin = close + 2;
  }
}

/// The node with its placeholders filled in. If it has none, returns the same node, which keeps its place in the file.
YAML::Node filled_tree(const YamlNode& node, const Values& values) {
  const YAML::Node& yaml = node.yaml();
  if (yaml.IsScalar()) {
    if (yaml.Scalar().find(kOpen) == std::string::npos) return yaml;
    YAML::Node text(filled(node, values));
    text.SetTag(yaml.Tag());
    return text;
  }
  YAML::Node result;
  bool changed = false;
  const auto filled_in = [&](const YamlNode& child) {
    const YAML::Node after = filled_tree(child, values);
    changed = changed || !child.yaml().is(after);
    return after;
  };
  if (yaml.IsSequence())
    for (const auto& child : node.elements()) result.push_back(filled_in(child));
  if (yaml.IsMap())
    for (const auto& entry : yaml) result[entry.first] = filled_in(inside(node, entry.first.Scalar(), entry.second));
  return changed ? result : yaml;
}

/// The mapping with that value set under a key such as model.num_layers. Nodes that aren't changed keep their place.
YAML::Node with_value(const YAML::Node& map, const std::string& key, const YAML::Node& value) {
  const auto dot = key.find('.');
  const std::string first = key.substr(0, dot);
  YAML::Node result(YAML::NodeType::Map);
  YAML::Node old;
  if (map.IsMap())
    for (const auto& entry : map) {
      if (entry.first.Scalar() == first)
        old.reset(entry.second);
      else
        result[entry.first] = entry.second;
    }
  if (map.IsScalar() && !map.Scalar().empty()) result["file"] = map;  // model: configs/model_medium.yaml
  result[first] = dot == std::string::npos ? value : with_value(old, key.substr(dot + 1), value);
  return result;
}

bool has_key(const YAML::Node& map, const std::string& key) {
  return std::ranges::any_of(map, [&](const auto& entry) { return entry.first.Scalar() == key; });
}

YAML::Node without(const YAML::Node& map, const std::string& key) {
  YAML::Node result(YAML::NodeType::Map);
  for (const auto& entry : map)
    if (entry.first.Scalar() != key) result[entry.first] = entry.second;
  return result;
}

/// Whether a text in the node has a placeholder of that axis.
bool mentions(const YAML::Node& node, const std::string& axis) {
  if (node.IsScalar()) {
    const std::string& text = node.Scalar();
    for (std::size_t open = text.find(kOpen); open != std::string::npos; open = text.find(kOpen, open + 1))
      if (trimmed(text.substr(open + 3, text.find(kClose, open) - open - 3)) == axis) return true;
    return false;
  }
  for (const auto& one : node)
    if (mentions(node.IsMap() ? one.second : one, axis)) return true;
  return false;
}

struct NodeAxis {
  std::string key;
  std::vector<YAML::Node> values;
  std::vector<std::string> known = {};  // `values`, and the file's values if the command line has replaced them
};

NodeAxis read_axis(const YamlNode& node, const std::string& key) {
  for (const char* fixed : {"name", "case", "matrix", "gates", "after"})
    if (key == fixed) throw node.error(fmt::format("'{}' can be no axis", key));
  NodeAxis axis{key, {}};
  const YAML::Node& yaml = node.yaml();
  if (yaml.IsScalar()) axis.values.push_back(yaml);
  if (yaml.IsSequence())
    for (std::size_t i = 0; i < yaml.size(); ++i) {
      if (!yaml[i].IsScalar()) throw node.element(i).error("expected a plain value", "matrix: {batch: [1, 4]}");
      axis.values.push_back(yaml[i]);
    }
  if (axis.values.empty()) throw node.error("the axis has no values", "matrix: {batch: [1, 4]}");
  for (const auto& value : axis.values) axis.known.push_back(value.Scalar());
  return axis;
}

std::vector<NodeAxis> axes_of(const YamlNode& node, const std::vector<MatrixAxis>& more) {
  std::vector<NodeAxis> axes;
  const YamlNode matrix = node.child("matrix");
  if (matrix.defined()) {
    if (!matrix.yaml().IsMap() || matrix.yaml().size() == 0)
      throw matrix.error("expected a mapping of keys to lists of values", "matrix: {batch: [1, 4]}");
    for (const auto& key : matrix.keys()) axes.push_back(read_axis(inside(matrix, key, matrix.yaml()[key]), key));
  }
  for (const auto& given : more) {
    NodeAxis axis{given.key, {}};
    for (const auto& value : given.values) axis.values.push_back(YAML::Node(value));
    axis.known = given.values;
    const auto same = std::ranges::find(axes, axis.key, &NodeAxis::key);
    if (same == axes.end())
      axes.push_back(axis);
    else {
      axis.known.insert(axis.known.end(), same->known.begin(), same->known.end());
      *same = axis;
    }
  }
  return axes;
}

/// Throws Error if `only` has a value that no axis has. Such a value would silently drop its gate from every case.
void check_only(const YamlNode& gates, const std::vector<NodeAxis>& axes) {
  std::vector<std::string> names;
  for (const auto& axis : axes) names.push_back(axis.key);
  for (const auto& gate : gates.elements()) {
    if (!gate.yaml().IsMap() || !gate.child("only").defined()) continue;
    const YamlNode only = gate.child("only");
    if (!only.yaml().IsMap() || only.yaml().size() == 0)
      throw only.error("expected axes with a value each", "only: {batch: 4}");
    for (const auto& key : only.keys()) {
      const YamlNode value = only.child(key);
      const auto axis = std::ranges::find(axes, key, &NodeAxis::key);
      if (axis == axes.end())
        throw value.error(fmt::format("'{}' is no axis of the case's matrix", key), unknown_name_hint(key, names));
      if (!value.yaml().IsScalar() || std::ranges::find(axis->known, value.yaml().Scalar()) == axis->known.end())
        throw value.error("is none of the axis's values, as they are written", unknown_name_hint("", axis->known));
    }
  }
}

/// Whether a gate with that `only` belongs to the case with these values.
bool is_meant(const YamlNode& only, const Values& values) {
  const auto keys = only.keys();
  return std::ranges::all_of(
      keys, [&](const std::string& key) { return only.child(key).yaml().Scalar() == find(values, key)->Scalar(); });
}

/// The gates that belong to the case with these values.
YAML::Node gates_for(const YamlNode& gates, const Values& values) {
  YAML::Node kept(YAML::NodeType::Sequence);
  for (const auto& gate : gates.elements()) {
    if (!gate.yaml().IsMap() || !has_key(gate.yaml(), "only"))
      kept.push_back(gate.yaml());
    else if (is_meant(gate.child("only"), values))
      kept.push_back(without(gate.yaml(), "only"));
  }
  return kept;
}

/// How a value is written in the name of a case. A path is shortened to what tells it from others in its folder.
std::string short_name(const std::string& value) {
  return value.find('/') == std::string::npos ? value : std::filesystem::path(value).stem().string();
}

YamlNode case_for(const YamlNode& node, const Values& values) {
  const YamlNode name = node.child("name");
  std::string text = name.defined() && name.yaml().IsScalar() ? name.yaml().Scalar() : "";
  if (text.find(kOpen) == std::string::npos)
    for (const auto& [axis, value] : values) text += fmt::format("-{}:{}", axis, short_name(value.Scalar()));
  else
    text = filled(name, values);
  YAML::Node yaml = without(node.yaml(), "matrix");
  for (const auto& [axis, value] : values)
    if (has_key(yaml, axis) || !mentions(yaml, axis)) yaml.reset(with_value(yaml, axis, value));
  const std::string path = fmt::format("{}({})", node.path(), text);
  const YamlNode gates = node.child("gates");
  if (gates.defined()) yaml.reset(with_value(yaml, "gates", gates_for(gates, values)));
  yaml.reset(with_value(yaml, "name", YAML::Node(text)));
  return node.replaced(filled_tree(node.replaced(yaml, node.key(), path), values), node.key(), path);
}

}  // namespace

bool has_placeholder(const YamlNode& node, const std::string& axis) { return mentions(node.yaml(), axis); }

MatrixAxis parse_axis(const std::string& text) {
  const auto equals = text.find('=');
  const std::string where = "--matrix " + text;
  if (equals == std::string::npos || equals == 0)
    throw Error(where, "is not KEY=V1,V2", "for example --matrix batch=1,4");
  MatrixAxis axis{text.substr(0, equals), {}};
  for (std::size_t begin = equals + 1; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    axis.values.push_back(text.substr(begin, end - begin));
    if (axis.values.back().empty()) throw Error(where, "has an empty value", "for example --matrix batch=1,4");
    begin = end + 1;
  }
  return axis;
}

std::vector<YamlNode> expand_matrix(const YamlNode& node, const std::vector<MatrixAxis>& more) {
  if (!node.yaml().IsMap()) return {node};
  const auto axes = axes_of(node, more);
  if (axes.empty()) return {node.replaced(filled_tree(node, {}), node.key(), node.path())};
  std::size_t count = 1;
  for (const auto& axis : axes) {
    count *= axis.values.size();
    if (count > kMostCases)
      throw node.child("matrix").error(fmt::format("stands for more than {} cases", kMostCases),
                                       "fewer values, or several suites");
  }
  check_only(node.child("gates"), axes);
  std::vector<YamlNode> cases;
  for (std::size_t i = 0; i < count; ++i) {
    Values values;
    std::size_t rest = i, block = count;
    for (const auto& axis : axes) {  // the last axis changes fastest
      block /= axis.values.size();
      values.emplace_back(axis.key, axis.values[rest / block]);
      rest %= block;
    }
    cases.push_back(case_for(node, values));
  }
  return cases;
}

}  // namespace bench::harness
