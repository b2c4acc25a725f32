#include "harness/data/token_files.h"

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/data/npy.h"
#include "model/file_kinds.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <vector>

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

/// How the bytes of a file are to be read.
struct Layout {
  std::string dtype;
  std::int64_t begin = 0, bytes = 0;
};

std::int64_t size_of(const std::string& dtype) { return dtype == "uint16" ? 2 : dtype == "int64" ? 8 : 4; }

template <class T>
torch::Tensor widened(const std::string& bytes) {
  const auto count = static_cast<std::int64_t>(bytes.size() / sizeof(T));
  torch::Tensor ids = torch::empty({count}, torch::kInt64);
  auto* to = ids.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    T id;
    std::memcpy(&id, bytes.data() + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
    to[i] = static_cast<std::int64_t>(id);
  }
  return ids;
}

/// The ids as they stand there [N]: int32 as pages of the file, others int64.
torch::Tensor read_ids(const fs::path& file, const Layout& layout) {
  if (layout.dtype == "int32" && layout.begin == 0)
    return torch::from_file(file.string(), /*shared=*/false, layout.bytes / 4, torch::kInt32);
  std::ifstream in(file, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(layout.bytes), '\0');
  in.seekg(layout.begin);
  in.read(bytes.data(), layout.bytes);
  if (!in) throw Error::at_run_time(file.string(), "cannot be read to its end");
  if (layout.dtype == "uint16") return widened<std::uint16_t>(bytes);
  if (layout.dtype == "int32") return widened<std::int32_t>(bytes);
  return widened<std::int64_t>(bytes);
}

bool all_in(const torch::Tensor& ids, std::int64_t vocab_size) {
  return !torch::any((ids < 0).logical_or(ids >= vocab_size)).item<bool>();
}

/// Whether the ids look like int64 ones that were read as int32: int64 ids below 2^31 have only zeros in their upper
/// half.
bool looks_like_int64(const torch::Tensor& ids) {
  if (ids.size(0) < 2 || ids.size(0) % 2 != 0) return false;
  const torch::Tensor pairs = ids.view({-1, 2});
  return !torch::any(pairs.select(1, 1)).item<bool>() && torch::any(pairs.select(1, 0)).item<bool>();
}

/// Refuses raw ids that were taken for int32 by default and make better sense as another dtype.
void refuse_other_dtypes(const fs::path& file, std::int64_t bytes, const torch::Tensor& ids, std::int64_t vocab_size) {
  if (looks_like_int64(ids))
    throw Error(file.string(), "every second id is 0: this looks like int64, not int32",
                "--tokens-dtype int64, or int32 if it is as it should be");
  if (!all_in(ids, vocab_size) && all_in(read_ids(file, {"uint16", 0, bytes}), vocab_size))
    throw Error(file.string(),
                fmt::format("as int32 its ids are beyond the vocabulary of {}, as uint16 they are in it", vocab_size),
                "--tokens-dtype uint16");
}

std::int64_t bytes_of(const fs::path& file) {
  std::error_code failed;
  const auto bytes = fs::file_size(file, failed);
  if (failed) throw Error(file.string(), "cannot be read: " + failed.message());
  if (bytes == 0) throw Error(file.string(), "holds no tokens");
  return static_cast<std::int64_t>(bytes);
}

/// Refuses a Git LFS pointer. Read as ids of two bytes, its text would fit many a vocabulary and be scored.
void refuse_git_lfs_pointer(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string beginning(model::kLongestMark, '\0');
  in.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  model::refuse_git_lfs_pointer(beginning, file);
}

Layout layout_of(const fs::path& file, const std::string& asked) {
  const std::int64_t bytes = bytes_of(file);
  refuse_git_lfs_pointer(file);
  const auto npy = read_npy_header(file);
  const std::string dtype = npy ? npy->dtype : asked == "auto" ? "int32" : asked;
  if (npy && asked != "auto" && asked != dtype)
    throw Error(file.string(), fmt::format("holds {} by its header, not {}", dtype, asked),
                "leave --tokens-dtype out: a .npy says what it holds");
  if (npy && npy->length == 0) throw Error(file.string(), "holds no tokens");
  if (npy) return {dtype, npy->data_begin, npy->length * size_of(dtype)};
  if (bytes % size_of(dtype) != 0)
    throw Error(file.string(), fmt::format("has {} bytes, which is no multiple of {}", bytes, size_of(dtype)),
                fmt::format("expected raw little-endian {} ids{}", dtype,
                            bytes % 2 == 0 && dtype != "uint16" ? "; are they --tokens-dtype uint16?" : ""));
  return {dtype, 0, bytes};
}

}  // namespace

TokenStream token_file(const fs::path& file, std::int64_t vocab_size, const TokensDtype& dtype) {
  const Layout layout = layout_of(file, dtype);
  TokenStream tokens;
  tokens.source = fmt::format("{} ({}, xxh128 {})", file.string(), layout.dtype, xxh128_file(file));
  tokens.ids = read_ids(file, layout);
  if (dtype == "auto" && layout.begin == 0) refuse_other_dtypes(file, layout.bytes, tokens.ids, vocab_size);
  check_ids(tokens, vocab_size);
  tokens.ids = tokens.ids.to(torch::kInt32);
  return tokens;
}

}  // namespace bench::harness
