#include "harness/core/names.h"

#include "harness/core/error.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace bench::harness {
namespace {

// In bytes. Comparing two names, or a name and a pattern, takes time in the product of their lengths.
constexpr std::size_t kLongestName = 100, kLongestPattern = 200;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  if (name.size() > kLongestName) return "";
  std::string best;
  std::size_t best_distance = name.size() / 3 + 2;  // further away than this is another word, not a slip
  for (const auto& candidate : known) {
    if (candidate.size() > name.size() + best_distance) continue;  // the distance is at least the difference in length
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string unknown_name_hint(std::string_view name, const std::vector<std::string>& known) {
  if (known.empty()) return "";
  const std::string near = nearest_name(name, known);
  const std::string list = fmt::format("known: {}", fmt::join(known, ", "));
  return near.empty() ? list : fmt::format("did you mean '{}'? {}", near, list);
}

void check_choice(const std::string& text, const std::vector<std::string>& choices, const std::string& where,
                  const std::string& what) {
  if (std::ranges::find(choices, text) == choices.end())
    throw Error(where, fmt::format("unknown {} '{}'", what, text), unknown_name_hint(text, choices));
}

std::string alternatives(const std::vector<std::string>& names) {
  if (names.size() < 2) return fmt::format("{}", fmt::join(names, ""));
  return fmt::format("{} or {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

bool matches_glob(std::string_view name, std::string_view glob) {
  if (glob.size() > kLongestPattern)
    throw Error(fmt::format("'{}...'", glob.substr(0, 40)), "is too long for a pattern",
                fmt::format("{} bytes at most; a * stands for any part of a name", kLongestPattern));
  std::size_t n = 0, g = 0;
  std::size_t star = std::string_view::npos, star_from = 0;  // the last *, and the beginning of what it matches
  while (n < name.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      star_from = n;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == name[n])) {
      ++n, ++g;
    } else if (star != std::string_view::npos) {  // the last * takes one more character; no earlier * has to
      g = star + 1;
      n = ++star_from;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == std::string_view::npos;
}

}  // namespace bench::harness
