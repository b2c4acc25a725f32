#pragma once

#include "harness/core/error.h"

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace bench::harness {

/// Values given on the command line as `--set key.path=value`. They replace what a file says for that key path.
class Overrides {
 public:
  /// Throws Error if an entry isn't key=value or its value isn't YAML.
  explicit Overrides(const std::vector<std::string>& assignments = {});

  /// Returns the override for exactly this key path and marks it as used; nullptr if there is none.
  const YAML::Node* find(const std::string& path);
  /// True if there is an override for a key below this path.
  bool any_below(const std::string& path) const;
  /// Throws Error for the first override that no field has asked for. The hint names the keys that were asked for at
  /// that place.
  void check_all_used() const;
  /// Lets an override of `cases.NAME.` stand for `cases[INDEX].`, or for each of several such prefixes.
  void rename_prefix(const std::string& from, const std::vector<std::string>& to);
  /// The key path as the user gave it: `cases.NAME.steps` for `cases[INDEX].steps`.
  std::string as_given(const std::string& path) const;

 private:
  struct Entry {
    std::string text, given, path;
    YAML::Node value;
    bool used = false;
  };
  std::string hint_for_unknown(std::string path) const;

  std::vector<Entry> entries_;
  std::set<std::string> asked_;  // key paths that an override could have replaced
};

/// A YAML node that knows where it stands: file, line, column, key path. JSON is read in the same way, since JSON is
/// YAML.
class YamlNode {
 public:
  /// Reads a file, or, when there is no such file, the config or suite of that name that is built into the program.
  static YamlNode load(const std::filesystem::path& file, std::shared_ptr<Overrides> overrides = nullptr);
  static YamlNode parse(const std::string& text, const std::string& file,
                        std::shared_ptr<Overrides> overrides = nullptr);

  const YAML::Node& yaml() const { return node_; }
  const std::string& key() const { return key_; }
  const std::string& file() const { return file_; }
  const std::string& path() const { return path_; }
  bool defined() const { return defined_; }

  /// The value under `name`. An override takes precedence over the file; undefined when there is neither.
  YamlNode child(const std::string& name) const;
  YamlNode element(std::size_t index) const;
  /// The elements of a list. A node that is not a list counts as a list of itself, so one element needs no brackets.
  std::vector<YamlNode> elements() const;
  /// Another value in the place of this node. Errors name it by `key`, and overrides find it by `path`.
  YamlNode replaced(const YAML::Node& value, const std::string& key, const std::string& path) const;
  /// The content of `file` in the place of this node, so that key paths (and overrides) continue into the file.
  YamlNode included(const std::filesystem::path& file) const;
  /// The keys of a mapping. Throws Error if the node is not a mapping or has a key twice.
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

/// The text of a file from the disk or, if it is not there, from the files built into the program (suites/, configs/).
/// Throws Error if it is in neither.
std::string read_config_text(const std::filesystem::path& file);

}  // namespace bench::harness
