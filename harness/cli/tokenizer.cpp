#include "harness/data/tokenizer.h"

#include "harness/cli/verbs.h"
#include "harness/core/fields.h"
#include "model/config.h"

#include <iostream>
#include <memory>
#include <thread>

namespace bench::harness {

void add_tokenizer(CLI::App& app, Exit&) {
  struct Options {
    std::string text = "data/processed/train.txt", out = "models/tokenizer.model", model;
    std::int64_t vocab_size = 0;
  };
  auto options = std::make_shared<Options>();
  CLI::App* group = app.add_subcommand("tokenizer", "Tokenizers");
  group->require_subcommand(1);
  CLI::App* verb = group->add_subcommand("train", "Train a SentencePiece model on a text");
  verb->add_option("--text", options->text, "one paragraph a line")->capture_default_str();
  verb->add_option("--out", options->out, "file to write")->capture_default_str();
  auto* vocab = verb->add_option("--vocab-size", options->vocab_size, "pieces");
  verb->add_option("--model", options->model, "model config whose vocab_size is taken")->excludes(vocab);
  verb->callback([options] {
    std::int64_t pieces = options->vocab_size;
    if (!options->model.empty()) pieces = read_config<model::ModelConfig>(YamlNode::load(options->model)).vocab_size;
    if (pieces <= 0)
      throw Error("bench tokenizer train", "no vocabulary size", "give --vocab-size N or --model CONFIG");
    const std::int64_t threads = std::max<std::int64_t>(std::thread::hardware_concurrency(), 1);
    train_tokenizer({.text = options->text, .output = options->out, .vocab_size = pieces, .threads = threads});
    std::cout << fmt::format("{}: {} pieces from {}\n", options->out, Tokenizer(options->out).vocab_size(),
                             options->text);
  });
}

}  // namespace bench::harness
