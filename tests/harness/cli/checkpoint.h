#pragma once

#include "tests/harness/cli/program.h"

#include <string>

namespace bench::harness {

/// A tiny model trained for a few steps on the synthetic language.
class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() { folder_.write("model.yaml", kTinyModel); }
  Outcome here(const std::string& arguments) { return bench(arguments, folder_.path().string()); }
  static std::string train_arguments(const std::string& output, const std::string& options) {
    return "train --model model.yaml --training configs/training_quick.yaml --set data.train_path=synthetic --set "
           "data.valid_path=synthetic "
           "--set train.max_seq_length=32 --set train.num_workers=0 --set device=cpu --set train.output_dir=" +
           output + " " + options;
  }
  Outcome train(const std::string& output, const std::string& options) {
    return here(train_arguments(output, options));
  }
  /// The exit code of a script that runs in the folder and knows the program as $BENCH.
  int shell(const std::string& script) {
    const int status =
        std::system(("cd '" + folder_.path().string() + "' || exit; BENCH='" BENCH_PROGRAM "'; " + script).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  TemporaryFolder folder_;
};

/// One that has a tokenizer, in a/final.
class TextCheckpointTest : public CheckpointTest {
 protected:
  void SetUp() override {
    std::string text, valid;
    for (int i = 0; i < 300; ++i) {
      text += "대한민국은 민주공화국이다 모든 국민은 법 앞에 평등하다 " + std::to_string(i * i) + "\n";
      valid += "모든 국민은 법 앞에 평등하다 대한민국은 민주공화국이다 " + std::to_string(i * i) + "\n";
    }
    folder_.write("t.txt", text);
    folder_.write("v.txt", valid);
    ASSERT_EQ(here("tokenizer train --text t.txt --out t.model --vocab-size 320").exit_code, 0);
    folder_.write("model.yaml",
                  "vocab_size: 320\nhidden_size: 32\nnum_layers: 1\nnum_heads: 2\nnum_kv_heads: 1\nintermediate_size: "
                  "48\nmax_seq_length: 64\ndropout: 0.0\n");
    const Outcome trained = train(
        "a",
        "--max-steps 2 --set data.train_path=t.txt --set data.valid_path=v.txt --set data.tokenizer_model=t.model");
    ASSERT_EQ(trained.exit_code, 0) << trained.text;
  }
};

}  // namespace bench::harness
