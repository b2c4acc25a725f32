#include "harness/core/fields.h"

#include "harness/core/numbers.h"
#include "harness/core/utf8.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

namespace bench::harness {
namespace {

/// The scalar's text if it could be a number or a truth value. A quoted "8" is a string and stays one.
const std::string& plain_scalar(const YamlNode& node, const char* expected) {
  if (!node.yaml().IsScalar() || node.yaml().Tag() == "!")
    throw node.error(fmt::format("expected {}", expected), "write it without quotes or brackets");
  return node.yaml().Scalar();
}

}  // namespace

void require_sizes(const Require& require, std::initializer_list<std::pair<const char*, std::int64_t>> sizes) {
  constexpr std::int64_t kTooLarge = std::int64_t{1} << 31;
  for (const auto& [key, value] : sizes)
    require(value < kTooLarge, key, fmt::format("{} is too large", value), "sizes are below 2^31");
}

void read_scalar(const YamlNode& node, bool& value) {
  const std::string& text = plain_scalar(node, "true or false");
  if (text != "true" && text != "false") throw node.error(fmt::format("expected true or false, found '{}'", text));
  value = text == "true";
}

void read_scalar(const YamlNode& node, std::int64_t& value) {
  const std::string& text = plain_scalar(node, "a whole number");
  const bool plus = text.size() > 1 && text[0] == '+' && std::isdigit(static_cast<unsigned char>(text[1]));
  const IntegerText read = parse_integer(plus ? text.substr(1) : text, value);
  if (read == IntegerText::kTooLarge) throw node.error(fmt::format("'{}' is too large for a 64-bit number", text));
  if (read == IntegerText::kIsNone) throw node.error(fmt::format("expected a whole number, found '{}'", text));
}

void read_scalar(const YamlNode& node, CountOrAuto& value) {
  value.automatic = node.yaml().IsScalar() && node.yaml().Scalar() == "auto";
  if (!value.automatic) read_scalar(node, value.count);
}

void read_scalar(const YamlNode& node, double& value) {
  const std::string& text = plain_scalar(node, "a number");
  const auto number = parse_number(text);
  if (!number || !std::isfinite(*number)) throw node.error(fmt::format("expected a finite number, found '{}'", text));
  value = *number;
}

void read_scalar(const YamlNode& node, std::string& value) {
  if (!node.yaml().IsScalar()) throw node.error("expected text");
  value = node.yaml().Scalar();
  // Control characters would steer the terminal on which the text is shown, and XML can't hold them.
  if (has_control_characters(value, "\t\n\r")) throw node.error("has control characters in it", "remove them");
}

void read_choice(const YamlNode& node, const std::vector<std::string>& choices, std::string& value) {
  read_scalar(node, value);
  if (std::ranges::find(choices, value) == choices.end())
    throw node.error(fmt::format("unknown choice '{}'", value), unknown_name_hint(value, choices));
}

void FieldReader::finish() const {
  for (const auto& key : present_)
    if (std::ranges::find(known_, key) == known_.end())
      throw node_.key_node(key).error("unknown key", unknown_name_hint(key, known_));
}

YamlNode FieldReader::at(const std::string& key) const {
  YamlNode node = node_;
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('.', begin), key.size());
    node = node.child(key.substr(begin, end - begin));
    begin = end + 1;
  }
  return node;
}

}  // namespace bench::harness
