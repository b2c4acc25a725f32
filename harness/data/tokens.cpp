#include "harness/data/tokens.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/data/synthetic.h"
#include "harness/data/text.h"

#include <bit>
#include <cstring>
#include <fstream>
#include <future>
#include <sstream>

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

static_assert(std::endian::native == std::endian::little, "token files are little-endian and mapped as they are");

constexpr std::size_t kLinesPerRound = 4096;  // tokenized in parallel, then written in order

torch::Tensor map_ids(const fs::path& file) {
  const auto bytes = static_cast<std::int64_t>(fs::file_size(file));
  return torch::from_file(file.string(), /*shared=*/false, bytes / 4, torch::kInt32);
}

std::vector<std::vector<std::int64_t>> encode_lines(const std::vector<std::string>& lines, const Tokenizer& tokenizer,
                                                    std::int64_t threads) {
  std::vector<std::vector<std::int64_t>> ids(lines.size());
  std::vector<std::future<void>> workers;
  const auto step = static_cast<std::size_t>(std::max<std::int64_t>(threads, 1));
  for (std::size_t first = 0; first < step; ++first)
    workers.push_back(std::async(std::launch::async, [&, first] {
      for (std::size_t i = first; i < lines.size(); i += step) ids[i] = tokenizer.encode(lines[i]);
    }));
  for (auto& worker : workers) worker.get();  // throws what the worker threw
  return ids;
}

void write_ids(const std::vector<std::vector<std::int64_t>>& paragraphs, std::int64_t eos, std::ostream& out) {
  std::vector<std::int32_t> ids;
  for (const auto& paragraph : paragraphs) {
    ids.insert(ids.end(), paragraph.begin(), paragraph.end());
    ids.push_back(static_cast<std::int32_t>(eos));
  }
  out.write(reinterpret_cast<const char*>(ids.data()), static_cast<std::streamsize>(ids.size() * sizeof(ids[0])));
}

void tokenize(const fs::path& text, const Tokenizer& tokenizer, std::int64_t threads, std::ostream& out) {
  std::ifstream in(text, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(std::move(line));
    if (lines.size() < kLinesPerRound) continue;
    write_ids(encode_lines(lines, tokenizer, threads), tokenizer.eos_id(), out);
    lines.clear();
  }
  write_ids(encode_lines(lines, tokenizer, threads), tokenizer.eos_id(), out);
}

}  // namespace

TokenStream text_tokens(const fs::path& text, const Tokenizer& tokenizer, std::int64_t threads) {
  check_text(text);
  const std::string text_hash = xxh128_file(text);
  const std::string key = xxh128(text_hash + xxh128(tokenizer.content())).substr(0, 12);
  const fs::path kept = fmt::format("{}.{}.tokens", text.string(), key);
  TokenStream tokens{
      {}, static_cast<std::int64_t>(fs::file_size(text)), fmt::format("{} (xxh128 {})", text.string(), text_hash)};
  try {
    if (!fs::exists(kept))
      write_file_atomically(kept, [&](std::ostream& out) { tokenize(text, tokenizer, threads, out); });
    tokens.ids = map_ids(kept);
  } catch (const Error&) {  // a folder that can't be written to: then the tokens live in memory only
    std::ostringstream out;
    tokenize(text, tokenizer, threads, out);
    const std::string bytes = out.str();
    tokens.ids = torch::empty({static_cast<std::int64_t>(bytes.size() / 4)}, torch::kInt32);
    std::memcpy(tokens.ids.data_ptr(), bytes.data(), bytes.size());
  }
  check_ids(tokens, tokenizer.vocab_size());
  return tokens;
}

TokenStream raw_tokens(const fs::path& file, std::int64_t vocab_size) {
  std::error_code failed;
  const auto bytes = fs::file_size(file, failed);
  if (failed) throw Error(file.string(), "cannot be read: " + failed.message());
  if (bytes == 0) throw Error(file.string(), "holds no tokens");
  if (bytes % 4 != 0)
    throw Error(file.string(), fmt::format("has {} bytes, which is no multiple of 4", bytes),
                "expected raw little-endian int32 ids");
  TokenStream tokens{map_ids(file), 0, fmt::format("{} (xxh128 {})", file.string(), xxh128_file(file))};
  check_ids(tokens, vocab_size);
  return tokens;
}

TokenStream synthetic_tokens(std::int64_t vocab_size, std::int64_t count, std::uint64_t text_seed) {
  const SyntheticLanguage language(vocab_size);
  const std::vector<std::int32_t> text = language.text(count, text_seed);
  TokenStream tokens{torch::tensor(text, torch::kInt32), 0,
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
      fmt::format("id {} is not in the model's vocabulary of {}", tokens.ids[at].item<std::int32_t>(), vocab_size),
      "the tokens were made with another tokenizer");
}

}  // namespace bench::harness
