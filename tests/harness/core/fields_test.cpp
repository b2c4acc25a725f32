#include "harness/core/fields.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

struct Inner {
  std::int64_t batch = 4;
  double rate = 0.5;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("batch", self.batch, "sequences");
    visit("rate", self.rate, "of something");
  }
  void validate(const Require& require) const { require(batch > 0, "batch", "must be positive", "try 1"); }
};

struct Outer {
  std::string name = "x";
  bool on = false;
  std::vector<std::int64_t> lengths;
  std::optional<double> limit;
  Inner inner;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, "a name");
    visit("on", self.on, "a switch");
    visit("lengths", self.lengths, "a list");
    visit("limit", self.limit, "may be absent");
    visit("inner", self.inner, "nested");
  }
};

std::string error_of(const std::string& yaml) {
  try {
    read_config<Outer>(YamlNode::parse(yaml, "file.yaml"));
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Fields, ReadsEveryKindOfValue) {
  const auto config = read_config<Outer>(
      YamlNode::parse("{name: y, on: true, lengths: [1, 2], limit: 3, inner: {batch: 8, rate: 1e-3}}", "f"));
  EXPECT_EQ(config.name, "y");
  EXPECT_TRUE(config.on);
  EXPECT_EQ(config.lengths, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(config.limit, 3.0);
  EXPECT_EQ(config.inner.batch, 8);
  EXPECT_EQ(config.inner.rate, 1e-3);
}

struct Choosing {
  OneOf<"disjoint", "strided"> protocol;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("protocol", self.protocol, "which tokens are scored");
  }
};

TEST(Fields, OneOfAFewTextsIsTheFirstUnlessAnotherIsChosen) {
  const auto read = [](const char* yaml) { return read_config<Choosing>(YamlNode::parse(yaml, "f")); };
  EXPECT_TRUE(read("{}").protocol == "disjoint");
  EXPECT_TRUE(read("{protocol: strided}").protocol == "strided");
  EXPECT_EQ(to_json(read("{protocol: strided}")), Json::parse(R"({"protocol": "strided"})"));
  EXPECT_EQ(describe_fields<Choosing>()[0].help, "disjoint or strided: which tokens are scored");
  try {
    read("{protocol: strid}");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "protocol: unknown choice 'strid'");
    EXPECT_EQ(e.hint(), "did you mean 'strided'? known: disjoint, strided");
    EXPECT_EQ(e.where(), "f:1:12");
  }
}

TEST(Fields, WithoutDefaultsOnlyWhatSomebodyChose) {
  const Json defaults = to_json(Outer{});
  EXPECT_EQ(without_defaults(Outer{}, defaults), Json::object());
  const auto config = read_config<Outer>(YamlNode::parse("{name: x, lengths: [1], limit: 3, inner: {batch: 8}}", "f"));
  const Json chosen = without_defaults(config, defaults);
  EXPECT_EQ(chosen, Json::parse(R"({"lengths": [1], "limit": 3.0, "inner": {"batch": 8}})"));
  EXPECT_EQ(to_json(read_config<Outer>(YamlNode::parse(chosen.dump(), "f"))), to_json(config));
}

TEST(Fields, JsonOfAConfigReadsBackAsTheSameConfig) {
  Outer config;
  config.name = "quoted \"name\": 5";
  config.lengths = {7, 9};
  config.inner.rate = 0.1;
  const std::string json = to_json(config).dump();
  EXPECT_EQ(to_json(read_config<Outer>(YamlNode::parse(json, "json"))).dump(), json);
}

TEST(Fields, UnknownKeyIsAnErrorWithPlaceAndHint) {
  EXPECT_EQ(error_of("name: a\ninner:\n  batsh: 3\n"),
            "file.yaml:3:3: inner.batsh: unknown key\n  hint: did you mean 'batch'? known: batch, rate");
}

TEST(Fields, DuplicateKeyIsAnError) {
  EXPECT_EQ(error_of("name: a\non: true\nname: b\n"),
            "file.yaml:3:1: name: this key stands here twice\n  hint: keep one of the two");
}

TEST(Fields, WrongTypesAreErrors) {
  EXPECT_EQ(error_of("inner: {batch: many}"), "file.yaml:1:16: inner.batch: expected a whole number, found 'many'");
  EXPECT_EQ(error_of("inner: {batch: 1.5}"), "file.yaml:1:16: inner.batch: expected a whole number, found '1.5'");
  EXPECT_EQ(error_of("inner: {batch: \"8\"}"),
            "file.yaml:1:16: inner.batch: expected a whole number\n  hint: write it without quotes or brackets");
  EXPECT_EQ(error_of("on: yes"), "file.yaml:1:5: on: expected true or false, found 'yes'");
  EXPECT_EQ(error_of("name: [a]"), "file.yaml:1:7: name: expected text");
  EXPECT_EQ(error_of("inner: 3"), "file.yaml:1:8: inner: expected a mapping of keys to values");
  EXPECT_EQ(error_of("inner: {batch: 99999999999999999999}"),
            "file.yaml:1:16: inner.batch: '99999999999999999999' is too large for a 64-bit number");
}

TEST(Fields, AWholeNumberMayHaveASign) {
  EXPECT_EQ(error_of("inner: {batch: +8}"), "no error");
  for (const char* text : {"+", "+-8", "++8", "-"})
    EXPECT_NE(error_of(std::string("inner: {batch: '") + text + "'}"), "no error") << text;
  EXPECT_NE(error_of("inner: {batch: +-8}").find("expected a whole number"), std::string::npos);
}

TEST(Fields, NumbersThatAreNotFiniteOrTooSmallAreErrors) {
  for (const char* text : {".nan", "nan", "inf", "-.inf", "1e999", "1e-400"})
    EXPECT_NE(error_of(std::string("inner: {rate: ") + text + "}").find("inner.rate: expected a finite number"),
              std::string::npos)
        << text;
}

TEST(Fields, ValidateSpeaksAtTheKeyAtFault) {
  EXPECT_EQ(error_of("inner: {rate: 1, batch: -2}"), "file.yaml:1:25: inner.batch: must be positive\n  hint: try 1");
}

TEST(Fields, BrokenYamlIsAnErrorWithPlace) { EXPECT_EQ(error_of("name: [a\nb: c").substr(0, 13), "file.yaml:2:2"); }

TEST(Fields, OverrideReplacesAValueAndNestedOnes) {
  const auto overrides = std::make_shared<Overrides>(std::vector<std::string>{"inner.batch=16", "name=z"});
  const auto config = read_config<Outer>(YamlNode::parse("inner: {batch: 2}", "f", overrides));
  EXPECT_EQ(config.inner.batch, 16);
  EXPECT_EQ(config.name, "z");
  overrides->check_all_used();
}

TEST(Fields, OverrideReachesIntoAMappingThatIsNotThere) {
  const auto overrides = std::make_shared<Overrides>(std::vector<std::string>{"inner.batch=16"});
  EXPECT_EQ(read_config<Outer>(YamlNode::parse("name: x", "f", overrides)).inner.batch, 16);
  overrides->check_all_used();
}

TEST(Fields, OverrideOfAnUnknownKeyIsAnError) {
  const auto overrides = std::make_shared<Overrides>(std::vector<std::string>{"inner.batsh=16"});
  read_config<Outer>(YamlNode::parse("inner: {batch: 2}", "f", overrides));
  try {
    overrides->check_all_used();
    ADD_FAILURE() << "no error";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "--set inner.batsh=16: unknown key 'inner.batsh'\n  hint: did you mean 'batch'? known: batch, rate");
  }
  EXPECT_THROW(Overrides({"no-equals-sign"}), Error);
}

TEST(Fields, ListOfOneNeedsNoBrackets) {
  EXPECT_EQ(read_config<Outer>(YamlNode::parse("lengths: 5", "f")).lengths, std::vector<std::int64_t>{5});
}

TEST(Fields, HelpListsNestedKeysWithDefaults) {
  const auto rows = describe_fields<Outer>();
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_EQ(rows[4].key, "inner.batch");
  EXPECT_EQ(rows[4].default_value, "4");
}

}  // namespace
}  // namespace bench::harness
