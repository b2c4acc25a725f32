#include "harness/data/tokenizer.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/text.h"

#include <fmt/format.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

namespace bench::harness {

Tokenizer::Tokenizer(const std::filesystem::path& model)
    : path_(model), processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
  if (!std::filesystem::exists(model))
    throw Error(model.string(), "no such tokenizer",
                fmt::format("train one: bench tokenizer train --model CONFIG --out {}", model.string()));
  content_ = read_file(model);
  std::string problem;
  try {
    if (const auto status = processor_->LoadFromSerializedProto(content_); !status.ok()) problem = status.ToString();
  } catch (const std::exception& e) {  // pieces of which the library can make no tree
    problem = e.what();
  }
  if (!problem.empty()) throw Error(model.string(), "is not a SentencePiece model", problem);
}

Tokenizer::~Tokenizer() = default;

std::vector<std::int64_t> Tokenizer::encode(std::string_view text) const {
  std::vector<int> ids;
  const auto status = processor_->Encode({text.data(), text.size()}, &ids);
  if (!status.ok()) throw Error::at_run_time(path_.string(), "cannot encode: " + status.ToString());
  return {ids.begin(), ids.end()};
}

std::string Tokenizer::decode(const std::vector<std::int64_t>& ids) const {
  std::vector<int> narrow;  // a model may have more tokens than the tokenizer has pieces
  for (const std::int64_t id : ids)
    if (id < vocab_size()) narrow.push_back(static_cast<int>(id));
  std::string text;
  const auto status = processor_->Decode(narrow, &text);
  if (!status.ok()) throw Error::at_run_time(path_.string(), "cannot decode: " + status.ToString());
  return text;
}

std::int64_t Tokenizer::vocab_size() const { return processor_->GetPieceSize(); }
std::int64_t Tokenizer::bos_id() const { return processor_->bos_id(); }
std::int64_t Tokenizer::eos_id() const { return processor_->eos_id(); }

void Tokenizer::check_fits(std::int64_t model_vocab_size) const {
  if (eos_id() < 0)
    throw Error(path_.string(), "has no end-of-sequence piece", "train it with eos, as SentencePiece does by default");
  if (vocab_size() <= model_vocab_size) return;
  throw Error(path_.string(),
              fmt::format("has {} pieces, the model's vocabulary only {}", vocab_size(), model_vocab_size),
              "use the tokenizer that the model was made for, or train one of its vocab_size");
}

void train_tokenizer(const TokenizerTraining& training) {
  check_text(training.text);
  const auto settings = std::unordered_map<std::string, std::string>{
      {"input", training.text.string()},
      {"vocab_size", std::to_string(training.vocab_size)},
      {"num_threads", std::to_string(training.threads)},
      {"model_type", "bpe"},
      {"byte_fallback", "true"},
      {"character_coverage", "0.9995"},         // SentencePiece's advice for languages with many characters
      {"normalization_rule_name", "identity"},  // decode(encode(text)) == text
      {"remove_extra_whitespaces", "false"},
      {"max_sentence_length", "1000000"},  // bytes; longer paragraphs would be dropped
      {"minloglevel", training.quiet ? "2" : "0"}};
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, nullptr, &model);
  if (!status.ok())
    throw Error(training.text.string(),
                fmt::format("no tokenizer of {} pieces can be trained: {}", training.vocab_size, status.ToString()),
                "a smaller vocab_size or more text may help");
  write_file_atomically(training.output, model);
}

}  // namespace bench::harness
