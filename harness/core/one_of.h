#pragma once

#include "harness/core/names.h"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace bench::harness {

/// A text as a template argument.
template <std::size_t N>
struct Literal {
  char text[N];
  constexpr Literal(const char (&literal)[N]) { std::copy_n(literal, N, text); }
};

/// A text that is one of a few choices; the first is the default. It can be a field of a config: any other text is then
/// an error that names the choices, and the table of keys lists them too.
///
///     OneOf<"disjoint", "strided"> protocol;
template <Literal... kChoices>
struct OneOf {
  std::string value = choices().front();

  OneOf() = default;
  /// Throws Error for any other text.
  OneOf(const char* text) : OneOf(read(text, "a choice", "choice")) {}
  /// Like the constructor. `where` says where the text stands, `what` what it should be: read(text, "--protocol",
  /// "protocol").
  static OneOf read(const std::string& text, const std::string& where, const std::string& what) {
    check_choice(text, choices(), where, what);
    OneOf one;
    one.value = text;
    return one;
  }
  operator const std::string&() const { return value; }

  static std::vector<std::string> choices() { return {kChoices.text...}; }
  friend bool operator==(const OneOf&, const OneOf&) = default;
  template <std::convertible_to<std::string_view> Text>
  friend bool operator==(const OneOf& one, const Text& text) {
    return one.value == text;
  }
};

template <class T>
struct IsOneOf : std::false_type {};
template <Literal... kChoices>
struct IsOneOf<OneOf<kChoices...>> : std::true_type {};

}  // namespace bench::harness
