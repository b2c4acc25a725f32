#include "harness/core/yaml_node.h"

#include "harness/core/embedded.h"
#include "harness/core/files.h"
#include "harness/core/names.h"
#include "harness/core/utf8.h"
#include "harness/core/yaml_limits.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace bench::harness {
namespace {

YAML::Node parse_yaml(const std::string& bytes, const std::string& where) {
  const std::string text(require_utf8(bytes, where));
  try {
    check_yaml(text, where);
    return YAML::Load(text);
  } catch (const YAML::ParserException& e) {
    throw Error(fmt::format("{}:{}:{}", where, e.mark.line + 1, e.mark.column + 1), e.msg, "this is not valid YAML");
  }
}

std::string join_path(const std::string& parent, const std::string& name) {
  return parent.empty() ? name : parent + "." + name;
}

}  // namespace

Overrides::Overrides(const std::vector<std::string>& assignments) {
  for (const auto& text : assignments) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Error("--set " + text, "is not key=value", "for example --set cases.train.steps=10");
    const std::string key = text.substr(0, equals);
    entries_.push_back({text, key, key, parse_yaml(text.substr(equals + 1), "--set " + text)});
  }
}

const YAML::Node* Overrides::find(const std::string& path) {
  asked_.insert(path);
  const YAML::Node* found = nullptr;
  for (auto& entry : entries_) {
    if (entry.path != path) continue;
    entry.used = true;
    found = &entry.value;  // the last one given wins
  }
  return found;
}

bool Overrides::any_below(const std::string& path) const {
  return std::ranges::any_of(entries_, [&](const Entry& entry) { return entry.path.starts_with(path + "."); });
}

void Overrides::check_all_used() const {
  for (const auto& entry : entries_)
    if (!entry.used)
      throw Error("--set " + entry.text, fmt::format("unknown key '{}'", entry.given), hint_for_unknown(entry.path));
}

std::string Overrides::hint_for_unknown(std::string path) const {
  while (true) {  // go up to the first mapping that was there
    const auto dot = path.rfind('.');
    const std::string parent = dot == std::string::npos ? "" : path.substr(0, dot + 1);
    std::vector<std::string> known;
    for (const auto& asked : asked_)
      if (asked.starts_with(parent) && asked.find_first_of(".[", parent.size()) == std::string::npos)
        known.push_back(asked.substr(parent.size()));
    if (!known.empty()) return unknown_name_hint(path.substr(parent.size()), known);
    if (parent.empty()) return "";
    path.resize(dot);
  }
}

std::string Overrides::as_given(const std::string& path) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
    if (path.starts_with(entry->path)) return entry->given + path.substr(entry->path.size());
  return path;
}

void Overrides::rename_prefix(const std::string& from, const std::vector<std::string>& to) {
  asked_.insert(from.substr(0, from.size() - 1));
  std::vector<Entry> renamed;
  for (const auto& entry : entries_) {
    if (!entry.path.starts_with(from)) {
      renamed.push_back(entry);
      continue;
    }
    for (const auto& prefix : to) {
      renamed.push_back(entry);
      renamed.back().path = prefix + entry.path.substr(from.size());
    }
  }
  entries_ = std::move(renamed);
}

std::string read_config_text(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file))
    for (const auto& embedded : embedded_files())
      if (embedded.path == file.generic_string()) return std::string(embedded.content);
  return read_file(file);
}

YamlNode YamlNode::load(const std::filesystem::path& file, std::shared_ptr<Overrides> overrides) {
  return parse(read_config_text(file), file.string(), std::move(overrides));
}

YamlNode YamlNode::parse(const std::string& text, const std::string& file, std::shared_ptr<Overrides> overrides) {
  YamlNode root;
  root.point_at(parse_yaml(text, file));
  root.file_ = file;
  root.overrides_ = overrides ? std::move(overrides) : std::make_shared<Overrides>();
  return root;
}

void YamlNode::point_at(const YAML::Node& node) {
  defined_ = node.IsDefined();
  if (!defined_) return;
  node_.reset(node);  // not operator=, which would assign through to the tree
  if (node.Mark().line >= 0) mark_ = node.Mark();
}

YamlNode YamlNode::child(const std::string& name) const {
  YamlNode child = *this;
  child.key_ = join_path(key_, name);
  child.path_ = join_path(path_, name);
  if (const YAML::Node* value = overrides_->find(child.path_)) {
    child.point_at(*value);
    child.overridden_ = true;
  } else {
    child.defined_ = false;
    // This uses the const operator[]: the other one adds the key that it looks for.
    if (defined_ && node_.IsMap()) child.point_at(static_cast<const YAML::Node&>(node_)[name]);
    if (!child.defined_) child.node_.reset(YAML::Node(YAML::NodeType::Map));
    child.defined_ = child.defined_ || overrides_->any_below(child.path_);  // then it is an empty mapping
  }
  return child;
}

YamlNode YamlNode::element(std::size_t index) const {
  YamlNode element = *this;
  element.point_at(static_cast<const YAML::Node&>(node_)[index]);
  element.key_ = fmt::format("{}[{}]", key_, index);
  element.path_ = fmt::format("{}[{}]", path_, index);
  return element;
}

std::vector<YamlNode> YamlNode::elements() const {
  if (!node_.IsSequence()) return {*this};
  std::vector<YamlNode> all;
  for (std::size_t i = 0; i < node_.size(); ++i) all.push_back(element(i));
  return all;
}

YamlNode YamlNode::replaced(const YAML::Node& value, const std::string& key, const std::string& path) const {
  YamlNode node = *this;
  node.point_at(value);
  node.key_ = key;
  node.path_ = path;
  return node;
}

YamlNode YamlNode::included(const std::filesystem::path& file) const {
  std::string text;
  try {
    text = read_config_text(file);
  } catch (const Error& e) {
    throw error(fmt::format("{}: {}", e.where(), e.message()), "paths are relative to the folder that bench runs in");
  }
  YamlNode root = parse(text, file.string(), overrides_);
  root.path_ = path_;
  return root;
}

std::vector<std::string> YamlNode::keys() const {
  if (node_.IsNull()) return {};  // an empty file or an empty mapping
  if (!node_.IsMap()) throw error("expected a mapping of keys to values");
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar()) throw error("a key must be a plain word");
    names.push_back(entry.first.Scalar());
    if (!seen.insert(names.back()).second) {
      YamlNode twice = *this;
      twice.point_at(entry.first);
      twice.key_ = join_path(key_, names.back());
      throw twice.error("this key stands here twice", "keep one of the two");
    }
  }
  return names;
}

YamlNode YamlNode::key_node(const std::string& name) const {
  YamlNode key = *this;
  for (const auto& entry : node_)
    if (entry.first.Scalar() == name) key.point_at(entry.first);
  key.key_ = join_path(key_, name);
  return key;
}

Error YamlNode::error(const std::string& what, const std::string& hint) const {
  const std::string message = key_.empty() ? what : key_ + ": " + what;
  if (overridden_) return Error("--set " + overrides_->as_given(path_), what, hint);
  return Error(mark_.line >= 0 ? fmt::format("{}:{}:{}", file_, mark_.line + 1, mark_.column + 1) : file_, message,
               hint);
}

}  // namespace bench::harness
