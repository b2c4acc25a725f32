#include "harness/core/fields.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

struct Config {
  std::string name;
  std::vector<std::int64_t> lengths;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, "a name");
    visit("lengths", self.lengths, "a list");
  }
};

Config read(const std::string& text) { return read_config<Config>(YamlNode::parse(text, "f.yaml")); }

std::string error_of(const std::string& text) {
  try {
    read(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Yaml, WhatStandsBehindTheDocumentIsAnErrorAtItsPlace) {
  const std::string what = ": a second document begins here\n  hint: ";
  EXPECT_TRUE(error_of("name: a\n---\nname: b\n").starts_with("f.yaml:2:1" + what)) << error_of("name: a\n---\nb");
  EXPECT_TRUE(error_of("name: a\n...\nlengths: [1]\n").starts_with("f.yaml:3:1" + what));
  EXPECT_TRUE(error_of("{name: a} lengths").starts_with("f.yaml:1:11" + what));
  EXPECT_EQ(read("---\nname: a\n...\n# the end\n").name, "a");
}

TEST(Yaml, MergeKeysAreNotSupportedAndSaySo) {
  EXPECT_TRUE(error_of("a: &a {name: x}\nb:\n  <<: *a\n")
                  .starts_with("f.yaml:3:3: merge keys (<<) are not supported\n  hint: write the keys out"));
  EXPECT_EQ(read("name: <<").name, "<<");
}

TEST(Yaml, AliasesWorkAsLongAsTheyDoNotExplode) {
  EXPECT_EQ(read("lengths: [&n 512, *n, *n]").lengths, (std::vector<std::int64_t>{512, 512, 512}));
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    laughs += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 9; ++j) laughs += fmt::format("{}*a{}", j ? ", " : "", i - 1);
    laughs += "]\n";
  }
  EXPECT_TRUE(error_of(laughs).starts_with("f.yaml:5:")) << error_of(laughs);
  EXPECT_TRUE(error_of(laughs).ends_with("aliases stand for more than 10000 values"));
  EXPECT_EQ(error_of("lengths: &a [1, *a]"), "f.yaml:1:17: this alias stands within what it stands for");
}

TEST(Yaml, NestingIsBounded) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(error_of(nested(100)), "f.yaml:1:1: expected a mapping of keys to values");
  EXPECT_EQ(error_of(nested(101)), "f.yaml:1:101: is nested deeper than 100 levels");
  EXPECT_EQ(error_of(nested(100'000)), "f.yaml:1:101: is nested deeper than 100 levels");
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 120; ++i) chain += fmt::format("a{}: &a{} [*a{}]\n", i, i, i - 1);
  EXPECT_TRUE(error_of(chain).ends_with("is nested deeper than 100 levels")) << error_of(chain);
}

TEST(Yaml, WhatIsNotUtf8IsRefusedWithTheConversionToRun) {
  EXPECT_EQ(error_of("lengths: [1]\nname: \xC7\xD1\xB1\xB9\n"),
            "f.yaml:2:7: is not UTF-8 (byte 19 of the file)\n  hint: if it is Korean in CP949 (EUC-KR), convert it: "
            "iconv -f CP949 -t UTF-8 f.yaml > NEW");
  using namespace std::string_literals;
  EXPECT_EQ(error_of("\xFF\xFEn\0a\0"s),
            "f.yaml:1:1: is not UTF-8 (byte 0 of the file)\n  hint: it is UTF-16; convert it: iconv -f UTF-16 -t UTF-8 "
            "f.yaml > NEW");
  EXPECT_TRUE(error_of("\xFF\xFE\0\0n\0\0\0"s).ends_with("iconv -f UTF-32 -t UTF-8 f.yaml > NEW"));
  EXPECT_TRUE(error_of("n\0a\0m\0e\0:\0 \0x\0"s).ends_with("iconv -f UTF-16LE -t UTF-8 f.yaml > NEW"));
  EXPECT_THROW(Overrides({"name=\xC7\xD1"}), Error);
}

TEST(Yaml, AByteOrderMarkOfUtf8IsNoPartOfTheText) {
  EXPECT_EQ(read("\xEF\xBB\xBFname: 한국어\n").name, "한국어");
  EXPECT_TRUE(error_of("\xEF\xBB\xBFmane: x\n").starts_with("f.yaml:1:1: mane: unknown key"));
}

TEST(Yaml, TextWithControlCharactersIsRefused) {
  for (const char* text : {R"(name: "a\e[31m")", R"(name: "a\0b")", R"(name: "\x9b")", "name: a\x7F"})
    EXPECT_EQ(error_of(text), "f.yaml:1:7: name: has control characters in it\n  hint: remove them");
  EXPECT_EQ(read(R"(name: "a\n\tb")").name, "a\n\tb");
}

TEST(Json, IsWrittenWhateverBytesATextHolds) {
  EXPECT_EQ(dumped(Json{{"note", "\xC7\xD1 ok"}, {"k\xFF", 1}}), "{\"note\":\"\uFFFD\uFFFD ok\",\"k\uFFFD\":1}");
}

}  // namespace
}  // namespace bench::harness
