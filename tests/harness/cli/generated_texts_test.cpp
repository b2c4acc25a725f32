#include "harness/cli/generated_texts.h"

#include "harness/data/text.h"

#include <sstream>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// Tokens are bytes, as a tokenizer's byte pieces are: what is no whole character decodes to U+FFFD, a byte each.
std::string decoded(const std::vector<std::int64_t>& ids) {
  std::string bytes, text;
  for (const std::int64_t id : ids) bytes += static_cast<char>(id);
  for (std::string_view rest = bytes; !rest.empty();) {
    std::size_t length = std::min<std::size_t>(rest.size(), 4);
    while (length > 1 && find_invalid_utf8(rest.substr(0, length)) != std::string_view::npos) --length;
    const bool whole = find_invalid_utf8(rest.substr(0, length)) == std::string_view::npos;
    text += whole ? std::string(rest.substr(0, length)) : "\xEF\xBF\xBD";
    rest.remove_prefix(length);
  }
  return text;
}

std::vector<std::int64_t> bytes_of(std::string_view text) {
  std::vector<std::int64_t> bytes;
  for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
  return bytes;
}

TEST(GeneratedTexts, PrintsEachSyllableOnceItIsWhole) {
  std::ostringstream out;
  GeneratedTexts texts({bytes_of("대한")}, decoded, out);
  EXPECT_EQ(out.str(), "대한");
  const std::string more = "민국 ok 🙂!";
  for (const std::int64_t byte : bytes_of(more)) {
    texts.add(0, byte);
    EXPECT_EQ(find_invalid_utf8(out.str()), std::string_view::npos) << out.str();
    EXPECT_EQ(out.str().find("\xEF\xBF\xBD"), std::string::npos) << out.str();
  }
  EXPECT_EQ(out.str(), "대한" + more);
  texts.add(0, bytes_of("국")[0]);  // cut short
  texts.end(0);
  EXPECT_EQ(out.str(), "대한" + more + "\n");
}

TEST(GeneratedTexts, PrintsTheFirstAsItComesAndTheOthersBehindIt) {
  std::ostringstream out;
  GeneratedTexts texts({bytes_of("a"), bytes_of("b"), bytes_of("c")}, decoded, out);
  texts.add(0, '1');
  texts.add(1, '1');
  texts.add(2, '1');
  EXPECT_EQ(out.str(), "a1");
  texts.end(1);
  EXPECT_EQ(out.str(), "a1");
  texts.add(0, '2');
  texts.end(0);
  EXPECT_EQ(out.str(), "a12\nb1\nc1");
  texts.add(2, '2');
  EXPECT_EQ(out.str(), "a12\nb1\nc12");
  texts.end_all();
  EXPECT_EQ(out.str(), "a12\nb1\nc12\n");
}

}  // namespace
}  // namespace bench::harness
