#include "harness/data/text.h"

#include "harness/core/error.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

constexpr auto kNone = std::string_view::npos;

TEST(Utf8, AcceptsKoreanAndTheEdges) {
  EXPECT_EQ(find_invalid_utf8("대한민국 헌법 abc \xF0\x9F\x98\x80"), kNone);
  EXPECT_EQ(find_invalid_utf8(""), kNone);
  EXPECT_EQ(find_invalid_utf8("\xF4\x8F\xBF\xBF"), kNone);  // U+10FFFF
}

TEST(Utf8, RejectsWhatIsNotUtf8AtItsFirstByte) {
  EXPECT_EQ(find_invalid_utf8("ab\xB0\xA1"), 2u);        // "가" in CP949
  EXPECT_EQ(find_invalid_utf8("\xC0\xAF"), 0u);          // overlong
  EXPECT_EQ(find_invalid_utf8("\xED\xA0\x80"), 0u);      // surrogate
  EXPECT_EQ(find_invalid_utf8("\xF4\x90\x80\x80"), 0u);  // beyond U+10FFFF
  EXPECT_EQ(find_invalid_utf8("x\xEA\xB0"), 1u);         // cut off
}

std::string error_of(const std::filesystem::path& file) {
  try {
    check_text(file);
  } catch (const Error& e) {
    return e.message();
  }
  return "no error";
}

TEST(Text, EmptyMissingAndForeignTextsAreErrors) {
  const tests::TemporaryFolder folder;
  EXPECT_EQ(error_of(folder.path() / "none.txt"), "no such text");
  EXPECT_EQ(error_of(folder.write("empty.txt", "")), "the text is empty");
  EXPECT_EQ(error_of(folder.write("blank.txt", "\n\n")), "the text is empty");
  EXPECT_EQ(error_of(folder.write("good.txt", "가나다\n")), "no error");
  const auto bad = folder.write("bad.txt", "line\nab\xB0\xA1\n");
  try {
    check_text(bad);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), bad.string() + ":2:3");
    EXPECT_EQ(e.message(), "is not UTF-8 (byte 7 of the file)");
  }
}

}  // namespace
}  // namespace bench::harness
