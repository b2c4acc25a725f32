#include "harness/judging/declared_metric.h"

#include "harness/comparison/compare.h"
#include "harness/core/files.h"
#include "harness/reports/reports.h"
#include "tests/temporary_folder.h"

#include <cmath>
#include <sstream>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

DeclaredMetric declared(const std::string& yaml) { return read_config<DeclaredMetric>(YamlNode::parse(yaml, "m")); }

const std::vector<DeclaredMetric> kDeclared{
    {.name = "joules", .unit = "J", .better = "lower", .meaning = "energy of one token"},
    {.name = "mismatches", .unit = "1", .better = "lower", .nature = "exact"}};

Record record(double joules, double mismatches = 0) {
  Record made;
  made.name = "peer", made.type = "command", made.config = Json::object();
  made.declared = kDeclared;
  for (int i = 0; i < 8; ++i) made.add("joules", "J", joules + 0.001 * i);
  for (const double one : {0.0, mismatches, 0.0}) made.add("mismatches", "1", one);
  return made;
}

Report report(const std::vector<Record>& processes, const std::vector<GateConfig>& gates = {}) {
  Report made;
  made.suite = "peers", made.device = "cpu", made.created = "2026-11-28T10:00:00Z";
  made.environment = {{"processor", "Example CPU"}, {"cores", 2}};
  made.before = made.after = {};
  made.cases.push_back(evaluate_case("peer", "command", 10, gates, processes, made.machine()));
  return made;
}

GateConfig gate(const std::string& yaml) { return read_gate(YamlNode::parse(yaml, "gate"), kDeclared); }

TEST(DeclaredMetric, IsTheMedianOfItsSeriesOrOfAnExactOneTheWorst) {
  const std::vector<Record> processes{record(5, 3)};
  const Estimate joules = *evaluate(*find_metric("joules", processes), processes);
  EXPECT_NEAR(joules.value, 5.0035, 1e-9);
  EXPECT_TRUE(joules.has_interval());
  EXPECT_EQ(evaluate(*find_metric("mismatches", processes), processes)->value, 3);
  EXPECT_EQ(find_metric("joules"), nullptr);  // of this case alone
  EXPECT_EQ(&metric_of(kDeclared[0]), &metric_of(declared("{name: joules, unit: J}")));
  EXPECT_NE(&metric_of(kDeclared[0]), &metric_of(declared("{name: joules, unit: kJ}")));
}

TEST(DeclaredMetric, GatesJudgeItAsTheyJudgeBuiltInOnes) {
  const std::vector<Record> processes{record(5), record(5.1), record(5.2)};
  EXPECT_EQ(judge(gate("{metric: joules, at_most: 9, unit: J}"), processes, "").verdict, Verdict::kPass);
  EXPECT_EQ(judge(gate("{metric: joules, at_most: 4, unit: J}"), processes, "").verdict, Verdict::kFail);
  EXPECT_EQ(judge(gate("{metric: mismatches, at_most: 0, unit: '1'}"), processes, "").verdict, Verdict::kPass);
  EXPECT_EQ(judge(gate("{metric: mismatches, at_most: 0, unit: '1'}"), {record(5), record(5, 1)}, "").verdict,
            Verdict::kFail);
  const std::vector<Record> base{record(10), record(10.2), record(10.4)};
  EXPECT_EQ(judge(gate("{metric: joules, relative_to: base, at_most: 0.6, unit: '1'}"), processes, "", &base).verdict,
            Verdict::kPass);
  EXPECT_EQ(judge(gate("{metric: joules, at_most: 9, unit: J}"), {Record{}}, "").reason, "the case measured no joules");
  EXPECT_THROW(gate("{metric: joule, at_most: 9, unit: J}"), Error);
  EXPECT_THROW(gate("{metric: joules, at_most: 9, unit: kJ}"), Error);
}

TEST(DeclaredMetric, AReportIsJudgedAgainByWhatStandsInIt) {
  const tests::TemporaryFolder folder;
  const Report made = report({record(5), record(5.1)}, {gate("{metric: joules, at_most: 9, unit: J}")});
  std::ostringstream text;
  write_json(made, text);
  const auto file = folder.write("report.json", text.str());
  const Verification found = verify_report(file);
  EXPECT_TRUE(found.hash_matches);
  EXPECT_EQ(found.differences, std::vector<std::string>{});
  const Report read = read_report(file);
  EXPECT_EQ(read.cases[0].record().declared, kDeclared);
  EXPECT_EQ(find_estimate(read.cases[0], "joules")->value, find_estimate(made.cases[0], "joules")->value);
  Json json = Json::parse(text.str());
  json["cases"][0]["processes"][0]["metrics"][0]["unit"] = "kJ";  // of one process alone
  EXPECT_THROW(read_report(folder.write("other.json", json.dump())), Error);
}

TEST(DeclaredMetric, StandsInEveryFormat) {
  const Report made = report({record(5), record(5.1)});
  for (const auto& format : report_formats()) {
    std::ostringstream text;
    format.write(made, text);
    if (std::string(format.name) == "google-benchmark" || std::string(format.name) == "junit") continue;
    EXPECT_NE(text.str().find("joules"), std::string::npos) << format.name;
  }
}

TEST(DeclaredMetric, ReportsAreComparedByIt) {
  const auto change = [](double base, double now) {
    const auto rows = compare_reports(report({record(base), record(1.01 * base), record(1.02 * base)}),
                                      report({record(now), record(1.01 * now), record(1.02 * now)}), {});
    for (const auto& row : rows)
      if (row.metric && std::string(row.metric->name) == "joules") return row.change;
    return Change::kVanished;
  };
  EXPECT_EQ(change(5, 50), Change::kWorse);
  EXPECT_EQ(change(50, 5), Change::kBetter);
}

TEST(DeclaredMetric, OneThatSaysAnotherThingThanABuiltInOfItsNameIsRefused) {
  EXPECT_NO_THROW(declared("{name: decode_tokens_per_s, unit: tokens/s, better: higher}"));
  for (const char* wrong :
       {"{name: decode_tokens_per_s, unit: tokens/min, better: higher}", "{name: decode_tokens_per_s, unit: tokens/s}",
        "{name: decode_tokens_per_s, unit: tokens/s, better: higher, nature: exact}", "{name: peak_memory, unit: GB}",
        "{unit: J}", "{name: a b, unit: J}", "{name: x}", "{name: x, unit: J, better: more}",
        "{name: x, unit: J, nature: soft}", "{name: x, unit: J, better: unchanged}", "{name: cold_x, unit: J}"})
    EXPECT_THROW(declared(wrong), Error) << wrong;
  Record peer = record(5);
  peer.declared = {declared("{name: decode_tokens_per_s, unit: tokens/s, better: higher}")};
  peer.add("decode_tokens_per_s", "tokens/s", 12);
  EXPECT_EQ(find_metric("decode_tokens_per_s")->of(peer)->value, 12);  // the same metric, by another program
}

TEST(DeclaredMetric, BadListsInAReportAreErrorsOfTheFile) {
  for (const char* wrong : {"[{\"name\": \"x\", \"unit\": \"J\"}, {\"name\": \"x\", \"unit\": \"J\"}]", "3", "[3]",
                            "[{\"name\": \"x\"}]", "[{\"name\": \"x\", \"unit\": \"J\", \"more\": 1}]"})
    EXPECT_THROW(declared_from_json(Json::parse(wrong), "report.json"), Error) << wrong;
}

TEST(DeclaredMetric, AnotherUnitUnderTheSameNameIsAnotherMetric) {
  const std::vector<Record> processes{record(5), record(5.1)};
  Record other = record(5);
  other.declared[0].unit = "kJ";
  const std::vector<Record> base{other, other};
  const GateResult ratio =
      judge(gate("{metric: joules, relative_to: base, at_most: 9, unit: '1'}"), processes, "", &base);
  EXPECT_EQ(ratio.verdict, Verdict::kNotJudged);
  EXPECT_EQ(ratio.reason, "case 'base' has another joules: in another unit, or the other way round");
  EXPECT_FALSE(find_metric("joules", base)->of(other));  // its samples are in J
  for (auto& [name, one] : other.series)
    if (name == "joules") one.unit = "kJ";
  const auto rows = compare_reports(report({record(5), record(5)}), report({other, other}), {});
  EXPECT_EQ(rows[0].change, Change::kVanished);
}

TEST(DeclaredMetric, AnExactOneInSecondsIsNoTime) {
  Record made;
  made.declared = {declared("{name: skew, unit: s, nature: exact}")};
  EXPECT_FALSE(made.is_timed("skew", "s"));
  EXPECT_TRUE(made.is_timed("other", "s"));
}

TEST(DeclaredMetric, ACaseWithoutANameIsNobodysBase) {
  Report made = report({record(5), record(5.1)});
  const CaseResult nameless = evaluate_case("", "command", 10, {}, {Record{}}, made.machine());
  const std::vector<CaseResult> earlier{nameless};
  const CaseResult judged = evaluate_case("peer", "command", 10, {gate("{metric: joules, at_most: 9, unit: J}")},
                                          {record(5), record(5.1), record(5.2)}, made.machine(), earlier);
  EXPECT_EQ(judged.verdicts[0].verdict, Verdict::kPass);
}

}  // namespace
}  // namespace bench::harness
