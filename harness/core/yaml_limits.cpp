#include "harness/core/yaml_limits.h"

#include "harness/core/error.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace bench::harness {
namespace {

constexpr std::size_t kMostAliased = 10'000;

/// The size of a node when every alias in it is replaced by what it stands for.
struct Size {
  std::size_t values = 1, depth = 0;
};

struct Collection {
  YAML::anchor_t anchor;
  bool is_map;
  std::size_t children = 0;
  Size size = {1, 1};
};

class Limits : public YAML::EventHandler {
 public:
  explicit Limits(const std::string& file) : file_(file) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      throw error(mark, "a second document begins here", "a file holds one; remove what stands from '---' or '...' on");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t anchor) override { add({}, anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool is_key = !open_.empty() && open_.back().is_map && open_.back().children % 2 == 0;
    if (is_key && value == "<<" && tag != "!")  // a quoted "<<" is a key like any other
      throw error(mark, "merge keys (<<) are not supported",
                  "write the keys out, or `{file: other.yaml, key: value}` where a config may be a file");
    add({}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw error(mark, "this alias stands within what it stands for", "");
    aliased_ += found->second.values;
    if (aliased_ > kMostAliased)
      throw error(mark, fmt::format("up to here aliases stand for more than {} values", kMostAliased), "");
    check_depth(mark, open_.size() + found->second.depth);
    add(found->second, 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, anchor, false);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, anchor, true);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override { end(); }

 private:
  Error error(const YAML::Mark& mark, const std::string& what, const std::string& hint) const {
    return Error(fmt::format("{}:{}:{}", file_, mark.line + 1, mark.column + 1), what, hint);
  }
  void check_depth(const YAML::Mark& mark, std::size_t depth) const {
    if (depth > kDeepestNesting) throw error(mark, fmt::format("is nested deeper than {} levels", kDeepestNesting), "");
  }
  void begin(const YAML::Mark& mark, YAML::anchor_t anchor, bool is_map) {
    check_depth(mark, open_.size() + 1);
    open_.push_back({anchor, is_map});
  }
  void end() {
    const Collection done = open_.back();
    open_.pop_back();
    add(done.size, done.anchor);
  }
  void add(const Size& size, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = size;
    if (open_.empty()) return;
    Collection& parent = open_.back();
    ++parent.children;
    parent.size.values += size.values;
    parent.size.depth = std::max(parent.size.depth, size.depth + 1);
  }

  const std::string& file_;
  std::size_t documents_ = 0, aliased_ = 0;
  std::vector<Collection> open_;
  std::map<YAML::anchor_t, Size> anchors_;
};

}  // namespace

void check_yaml(const std::string& text, const std::string& file) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  Limits limits(file);
  while (parser.HandleNextDocument(limits)) {
  }
}

}  // namespace bench::harness
