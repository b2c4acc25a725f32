#include "harness/checkpoints/checkpoint_tokenizer.h"

#include "harness/core/error.h"
#include "model/json_file.h"

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

using model::Json;

constexpr const char* kConfigFile = "tokenizer_config.json";

/// Reads a piece as tokenizer_config.json writes it: as its text, or as an object whose `content` is its text.
std::string piece(const Json& config, const char* key, const std::string& otherwise, const fs::path& file) {
  if (!config.contains(key) || config[key].is_null()) return otherwise;
  if (config[key].is_object()) return model::get<std::string>(config[key], "content", file);
  return model::get<std::string>(config, key, file);
}

std::int64_t bos_of(const Json& config, const Tokenizer& tokenizer, const fs::path& file) {
  const std::string bos = piece(config, "bos_token", "", file);
  if (bos.empty()) {
    if (tokenizer.bos_id() >= 0) return tokenizer.bos_id();
    throw Error(tokenizer.path().string(), "has no bos token to begin a text with", "--no-add-bos goes without");
  }
  if (const auto id = tokenizer.id_of(bos)) return *id;
  throw Error(file.string(), fmt::format("bos_token: '{}' is no piece of {}", bos, tokenizer.path().string()),
              "--no-add-bos goes without");
}

}  // namespace

bool has_tokenizer(const fs::path& folder) { return fs::exists(folder / kTokenizerFile); }

CheckpointTokenizer checkpoint_tokenizer(const fs::path& folder, std::optional<bool> add_bos) {
  if (!has_tokenizer(folder))
    throw Error(folder.string(), fmt::format("has no {}, so no text can be encoded", kTokenizerFile),
                fs::exists(folder / "tokenizer.json")
                    ? "its tokenizer.json isn't read, only SentencePiece is; bench ppl --tokens scores ids"
                    : "bench ppl --tokens scores ids");
  const fs::path file = folder / kConfigFile;
  const Json config = fs::exists(file) ? model::read_json(file) : Json::object();
  CheckpointTokenizer result{std::make_unique<Tokenizer>(folder / kTokenizerFile), ""};
  const bool said = config.contains("add_bos_token") && !config["add_bos_token"].is_null();
  const std::string why = add_bos ? *add_bos ? "--add-bos" : "--no-add-bos"
                          : said  ? fmt::format("add_bos_token in {}", kConfigFile)
                                  : fmt::format("{} says no add_bos_token", kConfigFile);
  if (add_bos.value_or(model::get_or(config, "add_bos_token", false, file))) {
    const std::int64_t bos = bos_of(config, *result.tokenizer, file);
    result.tokenizer->set_begin_id(bos);
    result.assumed = fmt::format("texts begin with the bos token {} ({})", bos, why);
  } else {
    result.assumed = fmt::format("texts begin without a bos token ({})", why);
  }
  if (model::get_or(config, "add_eos_token", false, file))
    result.assumed += ", add_eos_token is not taken: paragraphs to be scored end with it anyway, and prompts go on";
  return result;
}

}  // namespace bench::harness
