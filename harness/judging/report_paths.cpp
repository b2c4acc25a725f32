#include "harness/judging/report_paths.h"

#include "harness/core/error.h"
#include "harness/core/utf8.h"

#include <algorithm>
#include <system_error>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

/// What a case writes besides its record: the config key that says where it is written, and the key that says whether
/// it is written.
constexpr struct {
  const char *path, *when;
} kWritten[] = {{"/training/train/output_dir", "/keep_checkpoint"},
                {"/training/data/tokenizer_model", "/train_tokenizer"}};

/// The path without symbolic links and dots. Returns an empty path if a file can't have that name, for example a name
/// of a thousand letters.
fs::path plain(const fs::path& path) {
  std::error_code failed;
  const fs::path whole = fs::absolute(path, failed);
  if (failed) return {};
  const fs::path canonical = fs::weakly_canonical(whole, failed);
  return failed ? fs::path() : canonical;
}

bool lies_below(const fs::path& path, const fs::path& folder) {
  const fs::path inner = plain(path), outer = plain(folder);
  if (outer.empty()) return false;
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

Json value_at(const Json& config, const char* pointer) {
  const Json::json_pointer place(pointer);
  return config.contains(place) ? config.at(place) : Json();  // value() would throw where the place is in a list
}

}  // namespace

bool names_a_folder(const std::string& suite_name) {
  return !suite_name.empty() && suite_name.find('/') == std::string::npos && suite_name[0] != '.' &&
         !has_control_characters(suite_name);
}

void check_written_paths(const Report& report, const std::string& where, const fs::path& out) {
  if (!names_a_folder(report.suite))
    throw Error(where, fmt::format("suite '{}' is no plain word, and would be the folder of the results", report.suite),
                "was the report changed? this program writes none with such a name");
  for (const auto& one : report.cases)
    for (const auto& written : kWritten) {
      const Json& config = one.record().config;
      const Json path = value_at(config, written.path);
      if (!path.is_string() || value_at(config, written.when) != true) continue;
      if (lies_below(path.get<std::string>(), fs::current_path())) continue;
      if (!out.empty() && lies_below(path.get<std::string>(), out)) continue;
      throw Error(where,
                  fmt::format("case '{}' would write {}, which lies neither below this folder nor below --out",
                              one.name, path.get<std::string>()),
                  "a report must not say where to write: run its suite, or start this in a folder above that path");
    }
}

}  // namespace bench::harness
