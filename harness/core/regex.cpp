#include "harness/core/regex.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"

#include <cstdint>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr double kLongest_s = 10;

std::string message_of(int error) {
  PCRE2_UCHAR text[200] = {};
  pcre2_get_error_message(error, text, sizeof(text));
  return reinterpret_cast<const char*>(text);
}

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using CodePointer = std::unique_ptr<pcre2_code, Free<pcre2_code_free>>;

struct Compiled {
  CodePointer code;
  std::string fault;
};

/// Compiles the pattern so that the matcher calls us before each item of the pattern. There we look at the clock.
Compiled compile(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE at = 0;
  CodePointer code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                 PCRE2_MULTILINE | PCRE2_AUTO_CALLOUT, &error, &at, nullptr));
  if (code) return {std::move(code), ""};
  return {nullptr, fmt::format("{} at character {}", message_of(error), at + 1)};
}

/// When the search must end. The clock is looked at in every 1024th call.
struct Deadline {
  double end_s;
  std::uint32_t calls = 0;
};

int check_deadline(pcre2_callout_block*, void* data) {
  auto& deadline = *static_cast<Deadline*>(data);
  return ++deadline.calls % 1024 == 0 && now_s() > deadline.end_s ? PCRE2_ERROR_CALLOUT : 0;
}

}  // namespace

struct Regex::Code {
  CodePointer code;
  std::string pattern;
};

Regex::Regex(const std::string& pattern) {
  Compiled compiled = compile(pattern);
  if (!compiled.code) throw Error(fmt::format("'{}'", pattern), "is no regular expression: " + compiled.fault);
  code_.reset(new Code{std::move(compiled.code), pattern});
}
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;

std::string Regex::fault(const std::string& pattern) { return compile(pattern).fault; }

std::size_t Regex::groups() const {
  std::uint32_t count = 0;
  pcre2_pattern_info(code_->code.get(), PCRE2_INFO_CAPTURECOUNT, &count);
  return count;
}

std::optional<Regex::Match> Regex::find(const std::string& text, std::size_t begin) const {
  const std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>> data(
      pcre2_match_data_create_from_pattern(code_->code.get(), nullptr));
  const std::unique_ptr<pcre2_match_context, Free<pcre2_match_context_free>> context(
      pcre2_match_context_create(nullptr));
  Deadline deadline{now_s() + kLongest_s};
  pcre2_set_callout(context.get(), check_deadline, &deadline);
  pcre2_set_heap_limit(context.get(), 256 * 1024);  // KiB
  const int found = pcre2_match(code_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), begin, 0,
                                data.get(), context.get());
  if (found == PCRE2_ERROR_NOMATCH) return {};
  if (found < 0) {
    const bool slow = found == PCRE2_ERROR_CALLOUT || found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_HEAPLIMIT;
    throw Error::at_run_time(fmt::format("'{}'", code_->pattern),
                             slow ? "takes too long to look for" : "cannot be looked for: " + message_of(found),
                             "fewer * and + within each other");
  }
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data.get());
  Match match{ends[0], ends[1], {}};
  for (std::size_t i = 0; i <= groups(); ++i) {
    const bool there = ends[2 * i] != PCRE2_UNSET;
    match.texts.push_back(there ? text.substr(ends[2 * i], ends[2 * i + 1] - ends[2 * i]) : "");
  }
  return match;
}

}  // namespace bench::harness
