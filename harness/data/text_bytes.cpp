#include "harness/data/text_bytes.h"

#include "harness/core/error.h"
#include "harness/data/text.h"

#include <fstream>
#include <vector>

#include <fmt/format.h>

namespace bench::harness {
namespace {

/// Appends the number of bytes that each of a paragraph's tokens stands for. The begin token stands for none. The eos
/// stands for the line's end (one byte, also for CRLF) and for what no piece stands for.
void add_paragraph(const std::string& line, const Tokenizer& tokenizer, std::vector<std::int32_t>& bytes) {
  if (tokenizer.begin_id()) bytes.push_back(0);
  std::int64_t left = static_cast<std::int64_t>(line.size()) + 1;
  for (const std::int64_t of_id : tokenizer.bytes_of_ids(line)) {
    bytes.push_back(static_cast<std::int32_t>(of_id));
    left -= of_id;
  }
  bytes.push_back(static_cast<std::int32_t>(left));
}

}  // namespace

std::string TextBytes::lossy() const {
  if (changed_paragraphs == 0) return "";
  return fmt::format("the tokenizer changes {} of {} paragraphs ({:.3g} %): decode(encode(line)) is another line",
                     changed_paragraphs, paragraphs,
                     100 * static_cast<double>(changed_paragraphs) / static_cast<double>(paragraphs));
}

TokenStream text_tokens_with_bytes(const std::filesystem::path& text, const Tokenizer& tokenizer,
                                   std::int64_t threads) {
  TokenStream tokens = text_tokens(text, tokenizer, threads);
  std::ifstream in = open_text(text);
  std::vector<std::int32_t> bytes;
  TextBytes behind;
  for (std::string line; next_line(in, line, text.string());) {
    if (line.empty()) continue;
    add_paragraph(line, tokenizer, bytes);
    ++behind.paragraphs;
    if (tokenizer.decode(tokenizer.encode(line)) != line) ++behind.changed_paragraphs;
  }
  behind.of_token = torch::tensor(bytes, torch::kInt32);
  if (behind.of_token.size(0) != tokens.size()) throw Error::at_run_time(text.string(), "changed while it was read");
  tokens.text = std::move(behind);
  return tokens;
}

}  // namespace bench::harness
