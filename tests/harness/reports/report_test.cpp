#include "harness/judging/report.h"

#include "harness/comparison/history.h"
#include "harness/core/files.h"
#include "harness/reports/axis.h"
#include "harness/reports/reports.h"
#include "harness/reports/text.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr const char* kMachine = "Example CPU, 2 cores";

GateConfig gate(const std::string& yaml) { return read_config<GateConfig>(YamlNode::parse(yaml, "g")); }

/// A process of a case that began at that second of the run.
Record process(const char* type, double started_s, double wall_s) {
  Record record;
  record.name = record.type = type;
  record.started_s = started_s, record.wall_s = wall_s;
  record.before.load_1min = 0.5, record.after.load_1min = 1.5;
  return record;
}

/// A block of samples about `sample_s` with a spread of some percent, and the probe's speeds before it.
Block& add_block(Record& record, const std::string& series, std::size_t count, double sample_s) {
  const std::size_t first = record.samples(series).size();
  for (std::size_t i = 0; i < count; ++i)
    record.add(series, "s", sample_s * static_cast<double>(96 + (5 * (first + i) + i) % 9) / 100);
  Block block;
  block.begin_s = 2 + 0.5 * static_cast<double>(record.blocks.size()), block.end_s = block.begin_s + 0.4;
  block.matmul_flops_per_s = 1e9 * static_cast<double>(3000 - 40 * (record.blocks.size() % 3));
  block.read_bytes_per_s = 1e9 * static_cast<double>(200 + 3 * (record.blocks.size() % 2));
  block.samples[series] = {first, first + count};
  record.blocks.push_back(block);
  return record.blocks.back();
}

/// Three processes; warm-up in each, one block beside other programs.
CaseResult train_case() {
  std::vector<Record> processes;
  for (int p = 0; p < 3; ++p) {
    Record record = process("train", 20.0 * p, 19.5);
    record.config = {{"steps", 12}, {"model", {{"hidden_size", 256}}}};
    add_block(record, "micro_step_time_s", 2, 2.9).warmup = true;
    for (int b = 0; b < 4; ++b) add_block(record, "micro_step_time_s", 3, 2.0 + 0.01 * p);
    if (p == 1) record.blocks[2].others = 0.35;
    for (int i = 0; i < 6; ++i) record.add("update_time_s", "s", 0.5 + 0.01 * (i % 3));
    for (int i = 0; i < 12; ++i) record.add("loss", "nats", 5.5 + 2.8 / (1 + i));
    record.add("peak_memory_bytes", "bytes", 9.5e9);
    record.facts = {{"micro_steps_per_step", 2},  {"tokens_per_step", 4096}, {"flops_per_token", 2e8},
                    {"matmul_flops_per_s", 3e12}, {"work_flops", 8e11},      {"work_bytes", 4e10}};
    record.notes = {{"dtype", "fp32"}, {"data", "a | b <c>"}};
    record.inputs = {{"data/train.txt", "0123456789abcdef0123456789abcdef"}};
    processes.push_back(std::move(record));
  }
  return evaluate_case(
      "train", "train", 20,
      {gate("{metric: peak_memory, at_most: 10, unit: GB, reading: the plan's ~10 GB}"),
       gate("{metric: train_steps_per_s, at_least: 2, unit: steps/s, machine: Apple M4 Max, reading: an optimizer "
            "step}"),
       gate("{metric: train_tokens_per_s, above: 800, unit: tokens/s}"),
       gate("{metric: final_loss, at_most: 5, unit: nats, expected_failure: twelve steps are too few}"),
       gate("{metric: first_loss, at_most: 8, unit: nats}")},
      std::move(processes), kMachine);
}

/// Two processes, too few for a tight interval: a gate that nobody can judge.
CaseResult decode_case() {
  std::vector<Record> processes;
  for (int p = 0; p < 2; ++p) {
    Record record = process("decode", 60 + 15.0 * p, 14);
    for (int b = 0; b < 5; ++b) add_block(record, "decode_step_time_s", 8, p == 0 ? 0.019 : 0.021).warmup = b == 0;
    for (int i = 0; i < 4; ++i) record.add("first_token_time_s", "s", 0.3 + 0.01 * i);
    record.add("cold_time_s", "s", 0.9);
    record.facts = {{"batch", 1}, {"checksum", 1234567}, {"work_flops", 7e8}, {"work_bytes", 1.4e9}};
    processes.push_back(std::move(record));
  }
  return evaluate_case("decode", "decode", 15, {gate("{metric: decode_tokens_per_s, above: 50, unit: tokens/s}")},
                       std::move(processes), kMachine);
}

CaseResult memory_case(std::span<const CaseResult> earlier) {
  Record record = process("memory", 90, 3);
  record.facts = {{"batch", 1}};
  for (const double length : {256.0, 512.0, 1024.0, 2048.0}) {
    record.add("seq_length", "tokens", length);
    record.add("peak_memory_bytes", "bytes", 1e9 + 1e6 * length);
    record.add("predicted_memory_bytes", "bytes", 0.9e9 + 1e6 * length);
    record.add("weights_bytes", "bytes", 0.7e9);
    record.add("step_bytes", "bytes", 0.3e9 + 1e6 * length);
  }
  return evaluate_case("memory", "memory", 30,
                       {gate("{metric: peak_memory, below: 4, unit: GB}"),
                        gate("{metric: peak_memory, relative_to: train, at_most: 0.5, unit: '1'}")},
                       {record}, kMachine, earlier);
}

CaseResult skipped_case() {
  Record record = process("perplexity", 93, 0);
  record.status = Record::Status::kSkipped;
  record.reason = "checkpoints/medium/final: no such checkpoint yet", record.hint = "train one";
  return evaluate_case("perplexity", "perplexity", 60, {gate("{metric: perplexity, below: 15, unit: '1'}")}, {record},
                       kMachine);
}

CaseResult broken_case(const std::string& name) {
  Record record = process("prefill", 93, 2);
  record.status = Record::Status::kError, record.reason = "was killed, most likely for want of memory";
  return evaluate_case(name, "prefill", 30, {gate("{metric: prefill_tokens_per_s, above: 50, unit: tokens/s}")},
                       {record}, kMachine);
}

/// A report with a case of every status and a gate of every verdict; all numbers are made up.
Report example() {
  Report report{.suite = "example",
                .description = "Shows every verdict.",
                .device = "cpu",
                .created = "2026-11-24T12:00:00Z",
                .seed = 7,
                .environment = {{"processor", "Example CPU"},
                                {"cores", 2},
                                {"memory_bytes", 16000000000},
                                {"commit", "0123456789ab"},
                                {"dirty", true},
                                {"devices", {"cpu"}}},
                .before = {},
                .after = {},
                .cases = {train_case(), decode_case()}};
  report.cases.push_back(memory_case(report.cases));
  report.cases.push_back(skipped_case());
  report.cases.push_back(broken_case("prefill"));
  report.before.load_1min = 0.5, report.after.load_1min = 1.5;
  report.before.memory_available_bytes = 12e9, report.after.memory_available_bytes = 11.5e9;
  report.before.frequency_mhz = 2400;
  return report;
}

/// A case whose name and reason are what a user may not be trusted with.
Report hostile(const std::string& name) {
  Report report = example();
  report.cases = {broken_case(name)};
  report.cases[0].processes[0].reason = report.cases[0].verdicts[0].reason = name;
  return report;
}

std::vector<Trend> example_trends() {
  Trend trend;
  trend.suite = "example", trend.case_name = "decode <1>", trend.machine = kMachine;
  trend.metric = find_metric("decode_tokens_per_s");
  for (int i = 0; i < 12; ++i) {
    const double value = (i < 7 ? 50 : 46) + 0.3 * (i % 3);
    trend.points.push_back({fmt::format("2026-11-{:02}T12:00:00Z", i + 1),
                            fmt::format("{:x}", 0xbadc0ffee0ULL + 77777 * i),
                            fmt::format("results/{}/report.json", i),
                            i == 4,
                            {value, value - 0.8, value + 0.7, 30}});
  }
  trend.steps = {{7, 0.92, 0.0004, true}};
  Trend steady = trend;
  steady.metric = find_metric("peak_memory");
  steady.steps.clear();
  for (auto& point : steady.points) point.estimate = {0.75, 0.75, 0.75, 1};
  return {trend, steady};
}

/// Compares with tests/baselines/NAME; BENCH_APPROVE=1 writes it instead, to be read in the diff.
void expect_approved(const std::string& name, const std::string& text) {
  const auto file = std::filesystem::path(BENCH_SOURCE_DIR) / "tests/baselines" / name;
  if (std::getenv("BENCH_APPROVE")) write_file_atomically(file, text);
  EXPECT_TRUE(read_file(file) == text) << file
                                       << ": run with BENCH_APPROVE=1 to accept the new rendering, then git diff";
}

template <class Data>
std::string render(const Data& data, void (*write)(const Data&, std::ostream&)) {
  std::ostringstream out;
  write(data, out);
  return out.str();
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Report, RenderingsAreTheApprovedOnes) {
  for (const auto& format : report_formats()) expect_approved(format.file, render(example(), format.write));
  expect_approved("history.html", render(example_trends(), write_history_html));
}

TEST(Report, TheExampleHasEveryVerdict) {
  const auto verdicts = example().verdicts();
  for (const Verdict verdict :
       {Verdict::kPass, Verdict::kExpectedFail, Verdict::kFail, Verdict::kNotJudged, Verdict::kError})
    EXPECT_TRUE(std::ranges::any_of(verdicts, [&](const auto& g) { return g.verdict == verdict; }))
        << verdict_name(verdict);
}

TEST(Report, ANumberThatNoDoubleHoldsIsAnErrorOfTheFile) {
  const tests::TemporaryFolder folder;
  const auto file = folder.write("report.json", "{\"seed\": 1e999}");
  try {
    read_report(file);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), file.string());
    EXPECT_NE(e.message().find("is not JSON that can be read"), std::string::npos) << e.message();
  }
}

TEST(Report, ValuesThatDifferByRoundingHaveAnAxisWithTicks) {
  for (const double value : {0.75, 1e9, 3e-6}) {
    const double next = std::nextafter(std::nextafter(value, kInfinity), kInfinity);
    const Axis axis = axis_over("", {value, next});
    EXPECT_GE(axis.ticks.size(), 2u) << value;
    EXPECT_LE(axis.ticks.size(), 20u) << value;
  }
}

TEST(Report, NoValueMakesAnAxisWithoutEndOrWithoutBounds) {
  constexpr double kTiny = std::numeric_limits<double>::denorm_min(), kMost = std::numeric_limits<double>::max();
  const std::vector<double> values{1e300, -1e300, kMost, -kMost, kTiny,     -kTiny,
                                   0,     1,      -1,    1e-20,  kInfinity, std::nan("")};
  for (const double a : values)
    for (const double b : values)
      for (const Axis& axis : {axis_over("", {a, b}), axis_over("", {a, b}, true), axis_from_zero("", {a, b})}) {
        EXPECT_LE(axis.ticks.size(), 20u) << a << " " << b;
        EXPECT_TRUE(std::isfinite(axis.low) && std::isfinite(axis.high) && axis.low < axis.high) << a << " " << b;
        for (const auto& tick : axis.ticks) EXPECT_LE(tick.text.size(), 12u);
      }
}

TEST(Report, NoSampleMakesALargePage) {
  for (const double value : {1e300, -1e300, 5e-324, 1e16}) {
    Report report = example();
    for (auto& one : report.cases)
      for (auto& record : one.processes)
        for (auto& [name, series] : record.series)
          if (!series.samples.empty()) series.samples.back() = value;
    EXPECT_LT(render(report, write_html).size(), 100'000u) << value;
  }
}

TEST(Report, PagesDoNotGrowWithTheNestingOfAConfig) {
  Report report = example();
  Json deep = Json::array();
  for (int i = 0; i < 95; ++i) deep = Json::array({deep});
  for (int i = 0; i < 200; ++i) report.cases[0].processes[0].config["deep"].push_back(deep);  // 40 kB
  EXPECT_LT(render(report, write_html).size(), 400'000u);
  report.cases[0].processes[0].config["long"] = std::string(1'000'000, 'x');
  const std::string page = render(report, write_html);
  EXPECT_LT(page.size(), 400'000u);
  EXPECT_EQ(count(page, "... (report.json has all of it)"), 1u);
}

TEST(Report, TerminalLinesFitInAHundredColumnsWhateverTheNames) {
  Report report = example();
  report.cases.push_back(broken_case(std::string(300, 'x')));
  std::string hangul;
  for (int i = 0; i < 100; ++i) hangul += "\uB300";  // two columns each
  report.cases.push_back(broken_case(hangul));
  report.cases.back().verdicts[0].reason = report.cases.back().processes[0].reason = hangul;
  std::istringstream lines(render(report, write_terminal));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 100u) << line;
}

TEST(Report, HtmlAndXmlHoldWhatUsersWroteAsText) {
  const std::string name = "<script>\"&'\x01\xFF</script>";
  for (auto* write : {write_html, write_junit}) {
    const std::string text = render(hostile(name), write);
    EXPECT_EQ(count(text, "<script"), 0u);
    EXPECT_GT(count(text, "&lt;script&gt;&quot;&amp;&#39;\uFFFD\uFFFD&lt;/script&gt;"), 0u);
    EXPECT_EQ(text.find('\x01'), std::string::npos);
    EXPECT_EQ(text.find('\xFF'), std::string::npos);
  }
}

TEST(Report, MarkdownHoldsWhatUsersWroteAsText) {
  const std::string evil = "# <script>alert(1)</script> | `code` [a](javascript:b) *b* _c_\n- x\x1B\u009B";
  Report report = hostile(evil);
  report.suite = report.description = report.created = report.device = report.cases[0].type = evil;
  report.cases[0].processes[0].hint = evil;
  report.cases[0].processes[0].notes[evil] = evil;
  report.environment[evil] = evil;
  const std::string text = render(report, write_markdown);
  EXPECT_EQ(count(text, "<script"), 0u);
  EXPECT_EQ(count(text, " | `code`"), 0u);
  EXPECT_EQ(count(text, " _c_"), 0u);
  EXPECT_EQ(count(text, "\n- x"), 0u);
  EXPECT_EQ(count(text, "\x1B") + count(text, "\u009B"), 0u);
  EXPECT_EQ(count(text, "\n# &lt;") + count(text, "\n## #") + count(text, "- # "), 0u);
  EXPECT_GT(count(text,
                  "\\# &lt;script&gt;alert(1)&lt;/script&gt; \\| \\`code\\` \\[a\\](javascript:b) "
                  "\\*b\\* \\_c\\_ - x"),
            8u);
  EXPECT_EQ(count(render(example(), write_markdown), "memory_bytes"), 1u);  // within a word it is no markup
}

TEST(Report, HtmlNeedsNoNetworkAndNoScripts) {
  for (const std::string& page : {render(example(), write_html), render(example_trends(), write_history_html)})
    for (const char* part : {"http:", "https:", "<script", "@import", "url(", " src="})
      EXPECT_EQ(count(page, part), 0u) << part;
}

TEST(Report, AnIntervalWithoutAnEndIsDrawnToTheEdge) {
  auto trends = example_trends();
  trends[0].points[3].estimate.low = -kInfinity;
  trends[0].points[3].estimate.high = kInfinity;
  const std::string page = render(trends, write_history_html);
  EXPECT_FALSE(std::regex_search(page, std::regex("d=\"[^\"]*(inf|nan)")));
  Report report = example();
  report.cases[0].metrics[0].estimate.high = kInfinity;
  EXPECT_EQ(count(render(report, write_html), "inf %"), 0u);
  EXPECT_TRUE(to_json(report)["cases"][0]["metrics"][0]["high"].is_null());
}

TEST(Report, TrendsSaySinceWhenTheyAreNoNumbers) {
  auto trends = example_trends();
  for (std::size_t i = 10; i < 12; ++i) trends[0].points[i].estimate = Estimate::point(std::nan(""), 30);
  trends[0].points[3].estimate.value = kInfinity;
  trends[0].steps.push_back({.index = 10, .worse = true, .before = 46, .after = std::nan("")});
  trends[1].points = {trends[0].points[11]};  // none of them ever was
  trends[1].steps = {{.index = 0, .worse = true, .before = std::nan(""), .after = std::nan("")}};
  const std::string page = render(trends, write_history_html);
  EXPECT_EQ(count(page, "is not a number since " + trends[0].points[10].commit.substr(0, 10)), 1u);
  EXPECT_EQ(count(page, "Latest: not a number"), 2u);
  EXPECT_EQ(count(page, "3 of them for the worse"), 1u);
  EXPECT_FALSE(std::regex_search(page, std::regex("d=\"[^\"]*(inf|nan)")));
}

TEST(Report, SaysHowManyCasesWereLeftOutAndWhich) {
  Report report = example();
  const auto exit = report.exit_code();
  EXPECT_FALSE(to_json(report).contains("left_out"));
  report.left_out = {"one"};
  EXPECT_TRUE(summary_line(report).ends_with("; 1 case left out by --case")) << summary_line(report);
  report.left_out.push_back("two");
  EXPECT_TRUE(summary_line(report).ends_with("; 2 cases left out by --case")) << summary_line(report);
  EXPECT_EQ(report.exit_code(), exit);
  for (auto* write : {write_markdown, write_html}) EXPECT_EQ(count(render(report, write), "2 cases left out by"), 1u);
  EXPECT_EQ(to_json(report)["left_out"], Json(report.left_out));
  const tests::TemporaryFolder folder;
  const auto file = folder.write("r.json", render(report, write_json));
  EXPECT_EQ(read_report(file).left_out, report.left_out);
  const Verification verification = verify_report(file);
  EXPECT_TRUE(verification.hash_matches);
  EXPECT_TRUE(verification.differences.empty());
}

TEST(Report, HtmlThinsManySamplesAndSaysSo) {
  Report report = example();
  auto& series = report.cases[1].processes[0].series["decode_step_time_s"];
  for (int i = 0; i < 100000; ++i) series.samples.push_back(0.019 + 1e-6 * (i % 100));
  const std::string page = render(report, write_html);
  EXPECT_LT(page.size(), 200'000u);
  EXPECT_EQ(count(page, " of 100,080 samples shown"), 1u);
}

TEST(Report, TenThousandCasesFitOnAPage) {
  Report report = example();
  report.cases.assign(10'000, decode_case());
  const std::string page = render(report, write_html);
  EXPECT_LT(page.size(), 40'000'000u);
  EXPECT_EQ(count(page, "The first 200 of 10,000 cases have plots"), 1u);
  EXPECT_EQ(count(page, "id=\"case-10000\""), 1u);
}

TEST(Report, JunitHasATestcaseForEachGateAndForEachCaseThatBroke) {
  Report report = example();
  report.cases.push_back(broken_case("no gates"));
  report.cases.back().gates.clear(), report.cases.back().verdicts.clear();
  const std::string xml = render(report, write_junit);
  EXPECT_EQ(count(xml, "<testcase "), example().verdicts().size() + 1);
  EXPECT_EQ(count(xml, "<error "), 2u);
  EXPECT_EQ(count(xml, "<failure "), 1u);
  EXPECT_EQ(count(xml, "<skipped "), 4u);  // skipped, too noisy, for another machine, failed as expected
}

TEST(Report, CsvQuotesWhatSeparates) {
  Report report = example();
  report.suite = "a,\"b\"\n";
  const std::string csv = render(report, write_csv);
  EXPECT_EQ(count(csv, "\r\n\"a,\"\"b\"\"\n\","), count(csv, "\r\n") - 1);
}

TEST(Report, CsvHasNoFormulas) {
  for (const char* evil : {"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1"}) {
    Report report = example();
    report.suite = report.cases[0].name = report.created = evil;
    report.environment["processor"] = evil;
    const std::string csv = render(report, write_csv);
    EXPECT_EQ(count(csv, fmt::format("\n{}", evil)) + count(csv, fmt::format(",{}", evil)), 0u) << csv;
    EXPECT_GT(count(csv, fmt::format("\n'{},'{},", evil, evil)), 0u) << csv;
  }
  Report report = example();
  report.cases[0].metrics[0].estimate.value = -3;  // a number below 0 stays one
  EXPECT_EQ(count(render(report, write_csv), ",-3,"), 1u);
}

TEST(Report, ATextThatIsNoUtf8CostsNoReport) {
  Report report = hostile("\xC7\xD1\xB1\xB9");
  report.cases[0].processes[0].notes["\xC7\xD1"] = report.suite = report.environment["processor"] = "\xB1\xB9";
  for (const auto& format : report_formats()) render(report, format.write);  // none of them fails
  const tests::TemporaryFolder folder;
  const auto file = folder.write("r.json", render(report, write_json));
  EXPECT_EQ(read_report(file).suite, "\uFFFD\uFFFD");
  EXPECT_TRUE(verify_report(file).hash_matches);
}

TEST(Report, GithubBenchmarkHasOnlyWhatGetsSmallerWhenItGetsBetter) {
  const Json entries = Json::parse(render(example(), write_github_benchmark));
  double latency = 0;
  for (const auto& entry : entries)
    if (entry.at("name") == "decode: 1 / decode_tokens_per_s") latency = entry.at("value");
  EXPECT_NEAR(latency, 0.02, 0.001);
  for (const auto& entry : entries) EXPECT_EQ(count(entry.at("name"), "checksum"), 0u);
}

/// The example, with a decode case whose times are none and one that did not work.
Report broken_example() {
  Report report = example();
  for (auto& one : report.cases) {
    if (one.name != "decode") continue;
    std::vector<Record> processes = one.processes;
    processes[0].series["decode_step_time_s"].samples[20] = std::nan("");  // in a block that counts
    one = evaluate_case(one.name, one.type, 10, {}, processes, report.machine());
  }
  Record failed;
  failed.status = Record::Status::kError;
  failed.reason = "was killed";
  report.cases.push_back(evaluate_case("killed", "prefill", 10, {}, {failed}, report.machine()));
  return report;
}

TEST(Report, GithubBenchmarkHasAFailingEntryForWhatIsNoNumberAndForACaseThatDidNotWork) {
  int broken = 0, killed = 0;
  for (const auto& entry : Json::parse(render(broken_example(), write_github_benchmark))) {
    ASSERT_TRUE(entry.at("value").is_number()) << entry;  // the action takes null for no change
    if (entry.at("name") == "decode: 1 / decode_tokens_per_s") {
      ++broken;
      EXPECT_EQ(entry.at("value"), 1e99);
      EXPECT_EQ(count(entry.at("extra"), "no number"), 1u) << entry;
      EXPECT_FALSE(entry.contains("range"));
    }
    if (entry.at("name") != "killed: 1 / prefill_tokens_per_s") continue;
    ++killed;
    EXPECT_EQ(entry.at("value"), 1e99);
    EXPECT_EQ(count(entry.at("extra"), "was killed"), 1u) << entry;
  }
  EXPECT_EQ(broken, 1);
  EXPECT_EQ(killed, 1);
}

TEST(Report, GoogleBenchmarkSaysWhatIsNoNumberAsAnErrorWithoutATime) {
  int errors = 0;
  const Json json = Json::parse(render(broken_example(), write_google_benchmark));
  for (const auto& one : json.at("benchmarks")) {
    const std::string name = one.at("name");
    const bool broken = name == "decode/decode_step_time_s" || name == "killed";
    if (broken) {
      EXPECT_EQ(one.at("error_occurred"), true) << one;
    }
    EXPECT_EQ(one.contains("real_time"), !one.contains("error_occurred")) << one;
    errors += broken;
  }
  EXPECT_EQ(errors, 2);
}

TEST(Report, AValueWithoutAnIntervalHasNoneInAnyFormat) {
  const Report report = example();
  for (const auto& one : report.cases)
    for (const auto& [metric, e] : one.metrics)
      if (metric->nature == Nature::kExact && e.n > 0) {
        EXPECT_TRUE(std::isnan(e.low) && std::isnan(e.high)) << metric->name;
      }
  const Json json = Json::parse(render(report, write_json));
  for (const auto& one : json.at("cases"))
    for (const auto& metric : one.at("metrics"))
      EXPECT_TRUE(metric.at("low").is_null() || metric.at("low") < metric.at("high") || metric.at("high").is_null())
          << metric;
  EXPECT_EQ(count(render(report, write_csv), "GB,lower,3.5,3.5,3.5"), 0u);
}

TEST(Report, AnOlderReportThatSaysAPointAsItsIntervalIsStillWhatWasMeasured) {
  const tests::TemporaryFolder folder;
  Json json = Json::parse(render(example(), write_json));
  const auto said_as_before = [](Json& value) {
    if (value.contains("low") && value["low"].is_null()) value["low"] = value["high"] = value["value"];
  };
  for (auto& one : json["cases"])
    for (auto& metric : one["metrics"]) said_as_before(metric);
  EXPECT_TRUE(verify_report(folder.write("old.json", json.dump())).differences.empty());
  for (auto& one : json["cases"])
    for (auto& metric : one["metrics"])
      if (metric["low"] == metric["value"] && metric["value"].is_number())
        metric["low"] = metric["value"].get<double>() / 2;
  EXPECT_FALSE(verify_report(folder.write("wrong.json", json.dump())).differences.empty());
}

TEST(Report, ReadBackGivesTheSameReport) {
  const tests::TemporaryFolder folder;
  const std::string text = render(example(), write_json);
  EXPECT_EQ(render(read_report(folder.write("r.json", text)), write_json), text);
}

TEST(Report, NumbersThatAreNotFiniteAreWrittenAsNull) {
  Report report = example();
  report.cases[0].processes[0].series["loss"].samples[1] = std::nan("");
  for (const auto& format : report_formats()) render(report, format.write);  // none of them fails
  const std::string text = render(report, write_json);
  EXPECT_EQ(text.find("nan"), std::string::npos);
  const tests::TemporaryFolder folder;
  EXPECT_TRUE(std::isnan(read_report(folder.write("r.json", text)).cases[0].processes[0].samples("loss")[1]));
}

TEST(Report, AnErrorDecidesTheExitCode) { EXPECT_EQ(example().exit_code(), Exit::kCaseError); }

}  // namespace
}  // namespace bench::harness
