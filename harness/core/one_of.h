#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace bench::harness {

/// A text as a template argument.
template <std::size_t N>
struct Literal {
  char text[N];
  constexpr Literal(const char (&literal)[N]) { std::copy_n(literal, N, text); }
};

/// A text that is one of a few, by default the first. As a field of a config it is read as such: another text is an
/// error that names these, and so does the table of keys.
///
///     OneOf<"disjoint", "strided"> protocol;
template <Literal... kChoices>
struct OneOf {
  std::string value = choices().front();

  OneOf() = default;
  OneOf(std::string text) : value(std::move(text)) {}
  OneOf(const char* text) : value(text) {}
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
