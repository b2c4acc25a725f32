#pragma once

// The program as its users meet it: exit codes and what it prints.
#include "harness/core/fields.h"
#include "harness/core/files.h"
#include "tests/temporary_folder.h"

#include <array>
#include <cstdio>

#include <gtest/gtest.h>

namespace bench::harness {

using tests::TemporaryFolder;

struct Outcome {
  int exit_code;
  std::string text;  // stdout and stderr
};

/// Runs `bench ARGUMENTS` in the repository's root, or in `folder`. `before`: in the shell's line before the program.
inline Outcome bench(const std::string& arguments, const std::string& folder = BENCH_SOURCE_DIR,
                     const std::string& before = "") {
  const std::string command = "cd '" + folder + "' && " + before + " '" BENCH_PROGRAM "' " + arguments + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline constexpr const char* kTinyModel =
    "vocab_size: 64\nhidden_size: 32\nnum_layers: 2\nnum_heads: 2\nnum_kv_heads: 1\nintermediate_size: "
    "48\nmax_seq_length: 64\ndropout: 0.0\n";
inline constexpr const char* kDecodeCase =
    "  - {name: decode, case: decode, model: model.yaml, prompt_tokens: 8, new_tokens: 4, rounds: 1, compare_tokens: 4";

/// A suite of one decode case on a tiny model, with those gates.
inline std::string suite(const std::string& gates) {
  return "name: tiny\ncases:\n" + std::string(kDecodeCase) + ", gates: [" + gates + "]}\n";
}

/// Runs suites in a folder of its own; the model is model.yaml there.
class RunTest : public testing::Test {
 protected:
  RunTest() { folder_.write("model.yaml", kTinyModel); }
  Outcome run(const std::string& suite_text, const std::string& options = "") {
    folder_.write("suite.yaml", suite_text);
    return bench("run suite.yaml --device cpu --out out " + options, folder_.path().string());
  }
  Json report() { return Json::parse(read_file(folder_.path() / "out/report.json")); }
  TemporaryFolder folder_;
};

}  // namespace bench::harness
