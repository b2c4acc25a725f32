#include "harness/data/tokenizer.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/text.h"
#include "model/file_kinds.h"

#include <algorithm>
#include <cctype>
#include <fstream>

#include <fmt/format.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

namespace bench::harness {
namespace {

/// Recognizes lines like "IQ== 0": each holds a token in base64 and its rank.
bool is_tiktoken(std::string_view content) {
  const std::string_view line = content.substr(0, content.find('\n'));
  const std::size_t gap = line.find(' ');
  if (gap == std::string_view::npos || gap == 0 || gap + 1 == line.size()) return false;
  const auto is_base64 = [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '/' || c == '='; };
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) || c == '\r'; };
  const std::string_view token = line.substr(0, gap), rank = line.substr(gap + 1);
  return std::ranges::all_of(token, is_base64) && std::ranges::all_of(rank, is_digit);
}

/// Refuses files that are called tokenizer.model but are of another kind.
void refuse_other_kinds(std::string_view content, const std::string& file) {
  model::refuse_git_lfs_pointer(content, file);
  if (content.empty()) throw Error(file, "is empty", "copy the tokenizer again");
  if (is_tiktoken(content))
    throw Error(file, "is a tiktoken vocabulary, not a SentencePiece model",
                "only SentencePiece is read; other tokenizers' ids can be scored: bench ppl DIR --tokens FILE");
}

/// Gives SentencePiece the paragraphs of a text, however its lines end.
class Paragraphs : public sentencepiece::SentenceIterator {
 public:
  explicit Paragraphs(const std::filesystem::path& text) : where_(text.string()), in_(open_text(text)) { Next(); }
  bool done() const override { return done_; }
  void Next() override { done_ = !next_line(in_, line_, where_); }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::string where_;
  std::ifstream in_;
  std::string line_;
  bool done_ = false;
};

}  // namespace

Tokenizer::Tokenizer(const std::filesystem::path& model)
    : path_(model), processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
  if (!std::filesystem::exists(model))
    throw Error(model.string(), "no such tokenizer",
                fmt::format("train one: bench tokenizer train --model CONFIG --out {}", model.string()));
  content_ = read_file(model);
  refuse_other_kinds(content_, model.string());
  std::string problem;
  try {
    if (const auto status = processor_->LoadFromSerializedProto(content_); !status.ok()) problem = status.ToString();
  } catch (const std::exception& e) {  // the library can make no tree of these pieces
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
  for (std::size_t i = begin_id_ && !ids.empty() && ids[0] == *begin_id_ ? 1 : 0; i < ids.size(); ++i)
    if (ids[i] < vocab_size()) narrow.push_back(static_cast<int>(ids[i]));
  std::string text;
  const auto status = processor_->Decode(narrow, &text);
  if (!status.ok()) throw Error::at_run_time(path_.string(), "cannot decode: " + status.ToString());
  return text;
}

std::vector<std::int64_t> Tokenizer::encode_from_beginning(std::string_view text) const {
  std::vector<std::int64_t> ids = encode(text);
  if (begin_id_) ids.insert(ids.begin(), *begin_id_);
  return ids;
}

std::vector<std::int64_t> Tokenizer::bytes_of_ids(std::string_view text) const {
  std::vector<std::int64_t> bytes;
  std::int64_t end = 0;
  // This function must own the object, since the pieces are views of it.
  const sentencepiece::ImmutableSentencePieceText pieces =
      processor_->EncodeAsImmutableProto({text.data(), text.size()});
  for (const auto& piece : pieces.pieces()) {
    bytes.push_back(static_cast<std::int64_t>(piece.end()) - end);
    end = piece.end();
  }
  return bytes;
}

std::optional<std::int64_t> Tokenizer::id_of(const std::string& piece) const {
  const int id = processor_->PieceToId(piece);
  if (processor_->IdToPiece(id) != piece) return {};  // unknown pieces have the id of <unk>
  return id;
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
  Paragraphs paragraphs(training.text);
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &paragraphs, &model);
  if (!status.ok())
    throw Error(training.text.string(),
                fmt::format("no tokenizer of {} pieces can be trained: {}", training.vocab_size, status.ToString()),
                "a smaller vocab_size or more text may help");
  write_file_atomically(training.output, model);
}

}  // namespace bench::harness
