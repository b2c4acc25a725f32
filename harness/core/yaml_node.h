#pragma once

#include "harness/core/error.h"

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace bench::harness {

/// Values given on the command line as `--set key.path=value`; they replace what a file says for that key path.
class Overrides {
 public:
  /// Throws Error if an entry isn't key=value or its value isn't YAML.
  explicit Overrides(const std::vector<std::string>& assignments = {});

  /// The override for exactly this key path (marked as used), or nullptr.
  const YAML::Node* find(const std::string& path);
  /// True if there is an override for a key below this path.
  bool any_below(const std::string& path) const;
  /// Throws Error for the first override that no field has asked for, with the names that were asked for in its place.
  void check_all_used() const;
  /// Lets `cases.NAME.` stand for `cases[INDEX].`, or for each of several.
  void rename_prefix(const std::string& from, const std::vector<std::string>& to);
  /// The key path as it was given: `cases.NAME.steps` for `cases[INDEX].steps`.
  std::string as_given(const std::string& path) const;

 private:
  struct Entry {
    std::string text, given, path;
    YAML::Node value;
    bool used = false;
  };
  std::string hint_for_unknown(std::string path) const;

  std::vector<Entry> entries_;
  std::set<std::string> asked_;  // key paths that there could have been an override for
};

/// A YAML node that knows where it stands: file, line, column, key path. JSON is read the same way, being YAML.
class YamlNode {
 public:
  /// Reads a file, or one of the configs and suites built into the program when no such file exists.
  static YamlNode load(const std::filesystem::path& file, std::shared_ptr<Overrides> overrides = nullptr);
  static YamlNode parse(const std::string& text, const std::string& file,
                        std::shared_ptr<Overrides> overrides = nullptr);

  const YAML::Node& yaml() const { return node_; }
  const std::string& key() const { return key_; }
  const std::string& file() const { return file_; }
  const std::string& path() const { return path_; }
  bool defined() const { return defined_; }

  /// The value under `name`, an override of it first; undefined when there is neither.
  YamlNode child(const std::string& name) const;
  YamlNode element(std::size_t index) const;
  /// The elements of a list; what isn't one is a list of itself, which needs no brackets.
  std::vector<YamlNode> elements() const;
  /// Another value in this place, which errors call by that key and overrides by that path.
  YamlNode replaced(const YAML::Node& value, const std::string& key, const std::string& path) const;
  /// The content of `file` in the place of this node, so that key paths (and overrides) go on through it.
  YamlNode included(const std::filesystem::path& file) const;
  /// The keys of a mapping; throws Error for a node that isn't one or has a key twice.
  std::vector<std::string> keys() const;
  YamlNode key_node(const std::string& name) const;

  const std::shared_ptr<Overrides>& overrides() const { return overrides_; }
  /// An error at this node: "file:line:column: key: what".
  Error error(const std::string& what, const std::string& hint = "") const;

 private:
  void point_at(const YAML::Node& node);

  YAML::Node node_;
  std::string file_, key_, path_;              // key_ within its file, path_ from the root of the first file
  YAML::Mark mark_ = YAML::Mark::null_mark();  // of the node, or of the mapping that lacks it
  bool defined_ = false, overridden_ = false;
  std::shared_ptr<Overrides> overrides_;
};

/// A file's text: from disk, else from what is built into the program (suites/, configs/). Throws Error if in neither.
std::string read_config_text(const std::filesystem::path& file);

}  // namespace bench::harness
