#include "model/json_file.h"

#include "model/file_kinds.h"

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

namespace bench::model {
namespace {

constexpr int kDeepest = 64;  // objects and lists within each other; no checkpoint's file has more than a handful

/// Is told of each key while the parser reads.
class KeysOnce {
 public:
  void hear(int depth, Json::parse_event_t event, const Json& parsed) {
    if (depth > kDeepest) throw JsonError{"is nested more than " + std::to_string(kDeepest) + " deep"};
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end) keys_.pop_back();
    if (event != Json::parse_event_t::key) return;
    const auto name = parsed.get<std::string>();
    if (!keys_.back().insert(name).second) throw JsonError{name + ": is said twice"};
  }

 private:
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
};

}  // namespace

Json parse_json(std::string_view text) {
  KeysOnce keys;
  try {
    return Json::parse(text.begin(), text.end(), [&](int depth, Json::parse_event_t event, const Json& parsed) {
      keys.hear(depth, event, parsed);
      return true;
    });
  } catch (const Json::parse_error& e) {
    throw JsonError{"is not JSON", e.byte};
  } catch (const Json::exception& e) {  // a number that no double holds
    throw JsonError{std::string("is not JSON that can be read: ") + e.what()};
  }
}

Json read_json(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in)
    throw InputError(file.string(), "no such file", "a checkpoint is a folder with config.json and model.safetensors");
  std::ostringstream text;
  text << in.rdbuf();
  refuse_git_lfs_pointer(text.str(), file);
  try {
    Json json = parse_json(text.str());
    if (json.is_object()) return json;
  } catch (const JsonError& e) {
    throw InputError(file.string() + (e.byte > 0 ? ": byte " + std::to_string(e.byte) : ""), e.what);
  }
  throw InputError(file.string(), "is not a JSON object");
}

}  // namespace bench::model
