#include "tests/harness/cli/program.h"

#include <regex>
#include <set>

namespace bench::harness {
namespace {

TEST(Cli, UsageMistakesExitTwo) {
  EXPECT_EQ(bench("").exit_code, 2);
  EXPECT_EQ(bench("fly").exit_code, 2);
  EXPECT_EQ(bench("run --no-such-option").exit_code, 2);
  EXPECT_EQ(bench("--help").exit_code, 0);
  EXPECT_EQ(bench("run --help").exit_code, 0);
  EXPECT_EQ(bench("--version").exit_code, 0);
}

struct Mistake {
  std::string arguments, says;
};

/// Each exits 2 and says so.
void expect_mistakes(const std::vector<Mistake>& mistakes, const std::string& folder = BENCH_SOURCE_DIR) {
  for (const auto& mistake : mistakes) {
    const Outcome outcome = bench(mistake.arguments, folder);
    EXPECT_EQ(outcome.exit_code, 2) << mistake.arguments << "\n" << outcome.text;
    EXPECT_TRUE(contains(outcome.text, mistake.says)) << mistake.arguments << "\n" << outcome.text;
    EXPECT_LT(outcome.text.size(), 1000u) << mistake.arguments;
  }
}

TEST(Cli, MistakesNameTheOptionAndWhatItTakes) {
  const std::string train = "train --model configs/model_quick.yaml --training configs/training_quick.yaml ";
  expect_mistakes({
      {"rum", "unknown verb 'rum'\n  hint: did you mean 'run'? known: run, plan,"},
      {"run --processes 0", "--processes: must be a positive whole number, found '0'"},
      {"run --seed abc", "--seed: must be a whole number, found 'abc'"},
      {"run --from report.json --set device=cpu", "--from excludes --set"},
      {"ab . . suites/ci.yaml --seed -1", "--seed: must be a whole number, found '-1'"},
      {"ab . . suites/ci.yaml --case x", "no case of the suite has such a name\n  hint: known: "},
      {"ab . . suites/ci.yaml --tolerance 5", "--tolerance: '5' would be 500 %\n  hint: did you mean 5%?"},
      {"compare a.json b.json --max-regression 5", "--max-regression: '5' would be 500 %"},
      {"plan suites/m4max.yaml --machine m4-max-40 --device gpu", "--machine excludes --device"},
      {"plan suites/m4max.yaml --device gpu", "--device: unknown device 'gpu'"},
      {train + "--max-steps -1", "--max-steps: must be a positive whole number, found '-1'"},
      {train + "--micro-batch-size 1.5", "--micro-batch-size: must be a positive whole number, found '1.5'"},
      {train + "--micro-batch-size 99999999999999999999",
       "--micro-batch-size: must be a positive whole number of 64 bits, found '99999999999999999999'"},
      {train + "--micro-batch-size several", "--micro-batch-size: must be a positive whole number, found 'several'"},
      {train + "--memory-budget 10GB", "--memory-budget: is for --micro-batch-size auto"},
      {train + "--micro-batch-size auto --memory-budget 10", "--memory-budget: '10' has no unit"},
      {train + "--resume --overwrite", "--resume excludes --overwrite"},
      {train + "--set train.bath_size=2", "unknown key 'train.bath_size'\n  hint: did you mean 'batch_size'?"},
  });
}

TEST(Cli, EveryVerbOfTheReadmeExists) {
  const std::string readme = read_file(BENCH_SOURCE_DIR "/README.md"), help = bench("--help").text;
  const std::regex use("`bench ([a-z]+)");
  std::set<std::string> verbs;
  for (std::sregex_iterator one(readme.begin(), readme.end(), use), end; one != end; ++one) verbs.insert((*one)[1]);
  EXPECT_GT(verbs.size(), 10u);
  for (const auto& verb : verbs) EXPECT_TRUE(contains(help, "\n  " + verb + " ")) << verb;
}

TEST(Cli, CheckAcceptsEveryFileOfTheRepository) {
  const Outcome outcome = bench("check suites/*.yaml configs/*.yaml configs/machines/*.yaml");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_TRUE(contains(
      outcome.text, "configs/model_medium.yaml: model config, 397722624 parameters, 364954624 without the embedding"));
}

TEST(Cli, CheckNamesFileLineAndColumn) {
  const TemporaryFolder folder;
  const auto file = folder.write(
      "t.yaml", "train:\n  batch_size: 16\n  gradient_accumulation_steps: 4\n  effective_batch_size: 60\n");
  const Outcome outcome = bench("check '" + file.string() + "'");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(
      contains(outcome.text,
               "t.yaml:4:25: train.effective_batch_size: 60 is not batch_size 16 x gradient_accumulation_steps 4 = 64"))
      << outcome.text;
}

TEST(Cli, CheckRefusesWhatIsNoFileOfOurs) {
  const TemporaryFolder folder;
  folder.write("empty.yaml", "");
  folder.write("comment.yaml", "# nothing yet\n");
  folder.write("other.yaml", "services: {web: 1}\n");
  folder.write("list.yaml", "[1, 2]\n");
  folder.write("suite.yaml",
               "name: s\ndevice: tpu\ncases: [{name: a, case: decode, model: configs/model_quick.yaml}]\n");
  folder.write("inference.yaml", "model: {device: gpu}\n");
  folder.write("training.yaml", "train: {max_seq_length: 1}\n");
  folder.write(
      "first.yaml",
      "name: s\ncases: [{name: a, case: decode, model: configs/model_quick.yaml, prompt_tokens: 8, after: [c]}]\n");
  folder.write("relative.yaml",
               "name: s\ncases:\n  - {name: a, case: decode, model: configs/model_quick.yaml, prompt_tokens: 8}\n"
               "  - {name: b, case: decode, model: configs/model_quick.yaml, prompt_tokens: 8, gates: [{metric: "
               "decode_tokens_per_s, relative_to: b, at_least: 1, unit: '1'}]}\n");
  const std::string base =
      "name: s\ncases:\n  - {name: base, case: decode, model: configs/model_quick.yaml, prompt_tokens: 8}\n";
  folder.write("once.yaml", base +
                                "  - {name: b, case: decode, model: configs/model_quick.yaml, prompt_tokens: 8, "
                                "processes: 3, gates: [{metric: decode_tokens_per_s, relative_to: base, at_least: "
                                "1, unit: '1'}]}\n");
  folder.write("other_type.yaml", base +
                                      "  - {name: b, case: prefill, model: configs/model_quick.yaml, prompt_tokens: "
                                      "8, gates: [{metric: prefill_tokens_per_s, relative_to: base, at_least: 1, "
                                      "unit: '1'}]}\n");
  folder.write("metric.yaml",
               "name: s\ncases:\n  - {name: a, case: decode, model: configs/model_quick.yaml, prompt_tokens: 8, gates: "
               "[{metric: perplexity, below: 15, unit: '1'}]}\n");
  folder.write("memory.yaml",
               "name: s\ncases:\n  - {name: a, case: memory, model: configs/model_quick.yaml, mode: decode, "
               "gradient_checkpointing: true}\n");
  folder.write("ppl.yaml",
               "name: s\ncases:\n  - {name: a, case: perplexity, checkpoint: c, protocol: disjoint, stride: 8}\n");
  folder.write("cp949.yaml", "name: \xC7\xD1\xB1\xB9\ncases: []\n");
  folder.write("huge.yaml", "vocab_size: 9223372036854775807\nhidden_size: 192\nnum_heads: 6\nnum_kv_heads: 2\n");
  const std::string kinds =
      "kinds, and a key of each: suite (cases), training config (train), inference config (generation), machine "
      "(memory_gb_per_s), model config (vocab_size)";
  expect_mistakes(
      {
          {"check empty.yaml", "empty.yaml: is empty\n  hint: " + kinds},
          {"check comment.yaml", "comment.yaml: is empty"},
          {"check other.yaml", "other.yaml: is of no kind that bench knows\n  hint: " + kinds},
          {"check list.yaml", "expected a mapping of keys to values"},
          {"check suite.yaml", "suite.yaml:2:9: device: unknown device 'tpu'\n  hint: did you mean 'cpu'?"},
          {"check inference.yaml", "inference.yaml:1:17: model.device: unknown device 'gpu'"},
          {"check training.yaml", "train.max_seq_length: must be at least 2"},
          {"check first.yaml", "hint: it is the first: only those above it can be named"},
          {"check relative.yaml",
           "relative.yaml:4:131: cases[1].gates[0].relative_to: no case 'b' stands before this one"},
          {"check once.yaml", "cases[1].gates[0].relative_to: the ratio of decode_tokens_per_s could not be judged"},
          {"check other_type.yaml",
           "cases[1].gates[0].relative_to: 'base' is a decode case, which measures no prefill_tokens_per_s"},
          {"check metric.yaml", "cases[0].gates[0].metric: a decode case measures no perplexity"},
          {"check memory.yaml", "gradient_checkpointing: is for mode: train"},
          {"check ppl.yaml", "stride: is for protocol: strided"},
          {"check cp949.yaml",
           "cp949.yaml:1:7: is not UTF-8 (byte 6 of the file)\n  hint: if it is Korean in CP949 (EUC-KR), convert it: "
           "iconv -f CP949 -t UTF-8 cp949.yaml > NEW"},
          {"check huge.yaml", "huge.yaml:1:13: vocab_size: 9223372036854775807 is too large"},
      },
      folder.path().string());
}

TEST(Cli, BuiltInFilesServeWhereThereIsNoRepository) {
  const TemporaryFolder folder;
  EXPECT_EQ(bench("check suites/quick.yaml configs/model_large.yaml", folder.path().string()).exit_code, 0);
}

TEST(Cli, ListShowsEveryTable) {
  const Outcome outcome = bench("list");
  for (const char* part : {"decode", "peak_memory", "at_most", "cpu", "markdown", "suites/quick.yaml"})
    EXPECT_TRUE(contains(outcome.text, part)) << part;
  EXPECT_TRUE(contains(bench("list decode").text, "prompt_tokens"));
  EXPECT_TRUE(contains(bench("list metrics").text, "bits_per_byte"));
  EXPECT_EQ(bench("list dance").exit_code, 2);
}

TEST(Cli, EnvShowsOneOpenMpRuntime) {
  const Json json = Json::parse(bench("env --json").text);
#ifndef __APPLE__
  ASSERT_EQ(json["openmp_runtimes"].size(), 1u) << json["openmp_runtimes"];
  EXPECT_TRUE(contains(json["openmp_runtimes"][0].get<std::string>(), "torch/lib/libgomp.so.1"));
#endif
  EXPECT_GT(json["memory_bytes"].get<std::int64_t>(), 0);
  EXPECT_GT(json["threads"].get<std::int64_t>(), 0);
}

#ifdef __linux__
TEST(Cli, ThreadsWaitByAShortSpinUnlessTheUserSaysHow) {
  const std::string unset = "env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT ";
  // What the runtime read when it was loaded: in a program that computes the second time, since it begins anew.
  EXPECT_TRUE(contains(bench("ppl nothing --text none", "/", unset + "OMP_DISPLAY_ENV=verbose").text,
                       "GOMP_SPINCOUNT = '1000'"));
  EXPECT_EQ(Json::parse(bench("env --json", "/", unset).text)["waiting"], "GOMP_SPINCOUNT=1000");
  EXPECT_EQ(Json::parse(bench("env --json", "/", unset + "OMP_WAIT_POLICY=active").text)["waiting"],
            "OMP_WAIT_POLICY=active");
}

TEST(Cli, ProgramsThatAreMeasuredWaitAsTheirUsersHaveThem) {
  const tests::TemporaryFolder folder;
  const auto exit_code = [&](const std::string& test, const std::string& before) {
    folder.write("suite.yaml",
                 "name: s\ncases:\n  - name: a\n    case: command\n    shell: 'test \"$GOMP_SPINCOUNT\" = \"" + test +
                     "\" && echo 1'\n    repetitions: 1\n"
                     "    metrics: [{name: one, unit: '1', nature: exact}]\n    read: [{metric: one, regex: '(1)'}]\n"
                     "    gates: [{metric: one, at_most: 1, unit: '1'}]\n");
    return bench("run suite.yaml --out out", folder.path().string(), before).exit_code;
  };
  const std::string unset = "env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT ";
  EXPECT_EQ(exit_code("", unset), 0);
  EXPECT_EQ(exit_code("1000", unset), 3);  // the program is asked, and has another setting
  EXPECT_EQ(exit_code("5", unset + "GOMP_SPINCOUNT=5 "), 0);
}
#endif

}  // namespace
}  // namespace bench::harness
