#include "harness/data/tokens.h"

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/core/progress.h"
#include "harness/data/synthetic.h"
#include "harness/data/text.h"
#include "harness/data/token_cache.h"

#include <bit>
#include <fstream>
#include <future>

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

static_assert(std::endian::native == std::endian::little, "token files are little-endian and mapped as they are");

constexpr std::size_t kLinesPerRound = 4096;  // tokenized in parallel, then written in order

std::vector<std::vector<std::int64_t>> encode_lines(const std::vector<std::string>& lines, const Tokenizer& tokenizer,
                                                    std::int64_t threads) {
  std::vector<std::vector<std::int64_t>> ids(lines.size());
  std::vector<std::future<void>> workers;
  const auto step = static_cast<std::size_t>(std::max<std::int64_t>(threads, 1));
  for (std::size_t first = 0; first < step; ++first)
    workers.push_back(std::async(std::launch::async, [&, first] {
      for (std::size_t i = first; i < lines.size(); i += step) ids[i] = tokenizer.encode_from_beginning(lines[i]);
    }));
  for (auto& worker : workers) worker.get();  // throws what the worker threw
  return ids;
}

void put_ids(const std::vector<std::vector<std::int64_t>>& paragraphs, std::int64_t eos, const TokenSink& sink) {
  std::vector<std::int32_t> ids;
  for (const auto& paragraph : paragraphs) {
    ids.insert(ids.end(), paragraph.begin(), paragraph.end());
    ids.push_back(static_cast<std::int32_t>(eos));
  }
  sink(ids);
}

void tokenize(const fs::path& text, const Tokenizer& tokenizer, std::int64_t threads, const TokenSink& sink) {
  std::ifstream in = open_text(text);
  std::vector<std::string> lines;
  for (std::string line; next_line(in, line, text.string());) {
    if (!line.empty()) lines.push_back(std::move(line));
    if (lines.size() < kLinesPerRound) continue;
    put_ids(encode_lines(lines, tokenizer, threads), tokenizer.eos_id(), sink);
    lines.clear();
  }
  put_ids(encode_lines(lines, tokenizer, threads), tokenizer.eos_id(), sink);
}

/// The kept ids. They are made first if they aren't there or don't fit. Returns nothing if they can't be kept.
std::optional<torch::Tensor> kept_ids(const fs::path& text, const TokenOrigin& origin,
                                      const std::function<void(const TokenSink&)>& produce) {
  const fs::path file = token_cache_path(text, origin);
  if (auto ids = read_token_cache(file, origin)) return ids;
  if (fs::exists(file))
    print_status(fmt::format("{}: damaged, or of another text or tokenizer; made anew", file.string()));
  try {
    write_token_cache(file, origin, produce);
  } catch (const Error&) {  // the folder can't be written to
    return {};
  }
  return read_token_cache(file, origin);
}

}  // namespace

TokenStream text_tokens(const fs::path& text, const Tokenizer& tokenizer, std::int64_t threads) {
  check_text(text);
  const TokenOrigin origin{xxh128_file(text), xxh128(tokenizer.content()), tokenizer.begin_id()};
  TokenStream tokens;
  tokens.source = fmt::format("{} (xxh128 {})", text.string(), origin.text_hash);
  tokens.begin_id = origin.begin_id;
  const auto produce = [&](const TokenSink& sink) { tokenize(text, tokenizer, threads, sink); };
  if (const auto ids = kept_ids(text, origin, produce)) {
    tokens.ids = *ids;
  } else {
    std::vector<std::int32_t> all;
    produce([&](std::span<const std::int32_t> some) { all.insert(all.end(), some.begin(), some.end()); });
    tokens.ids = torch::tensor(all, torch::kInt32);
  }
  check_ids(tokens, tokenizer.vocab_size());
  return tokens;
}

TokenStream synthetic_tokens(std::int64_t vocab_size, std::int64_t count, std::uint64_t text_seed) {
  const SyntheticLanguage language(vocab_size);
  const std::vector<std::int32_t> text = language.text(count, text_seed);
  TokenStream tokens{torch::tensor(text, torch::kInt32),
                     fmt::format("synthetic Markov language, {} tokens, seed {}", count, text_seed)};
  for (std::size_t i = 1; i < text.size(); ++i) tokens.optimum_nll += language.nll(text[i - 1], text[i]);
  return tokens;
}

void check_ids(const TokenStream& tokens, std::int64_t vocab_size) {
  const torch::Tensor bad = torch::nonzero((tokens.ids < 0).logical_or(tokens.ids >= vocab_size));
  if (bad.size(0) == 0) return;
  const auto at = bad[0][0].item<std::int64_t>();
  throw Error(
      fmt::format("{}: token {}", tokens.source, at),
      fmt::format("id {} is not in the model's vocabulary of {}", tokens.ids[at].item<std::int64_t>(), vocab_size),
      "the tokens were made with another tokenizer");
}

}  // namespace bench::harness
