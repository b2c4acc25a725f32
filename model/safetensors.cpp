#include "model/safetensors.h"

#include "model/file_kinds.h"
#include "model/json_file.h"
#include "model/mapped_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

namespace bench::model {
namespace {

constexpr std::uint64_t kLengthBytes = 8;              // little-endian length of the header
constexpr std::uint64_t kLongestHeader = 100'000'000;  // the format's own limit
constexpr double kFarthest = 1e18;                     // elements; below 2^63

constexpr std::array<std::pair<const char*, torch::Dtype>, 9> kDtypes{{{"F64", torch::kFloat64},
                                                                       {"F32", torch::kFloat32},
                                                                       {"F16", torch::kFloat16},
                                                                       {"BF16", torch::kBFloat16},
                                                                       {"I64", torch::kInt64},
                                                                       {"I32", torch::kInt32},
                                                                       {"I8", torch::kInt8},
                                                                       {"U8", torch::kUInt8},
                                                                       {"BOOL", torch::kBool}}};

/// Where a tensor begins and ends. Throws Json::exception.
std::array<std::uint64_t, 2> offsets_of(const Json& entry) {
  const Json& both = entry.at("data_offsets");
  return {whole_number<std::uint64_t>(both.at(0)), whole_number<std::uint64_t>(both.at(1))};
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : file_(file), mapped_(file) {
    refuse_git_lfs_pointer(beginning(), file_);
    if (mapped_.size() < kLengthBytes) fail(mapped_.size(), "the file ends inside its 8-byte length field");
  }

  NamedTensors read() {
    const torch::Tensor length = mapped_.map(0, kLengthBytes);
    std::uint64_t header_length = 0;
    for (std::uint64_t i = kLengthBytes; i-- > 0;)
      header_length = header_length << 8 | length.const_data_ptr<std::uint8_t>()[i];
    if (header_length > kLongestHeader || header_length > mapped_.size() - kLengthBytes)
      fail(0, "a header of " + std::to_string(header_length) + " bytes does not fit in a file of " +
                  std::to_string(mapped_.size()));
    data_begin_ = kLengthBytes + header_length;
    const Json header = parse_header(header_length);
    NamedTensors tensors;
    for (const auto& [name, entry] : header.items())
      if (name != "__metadata__") tensors[name] = read_tensor(name, entry);
    check_layout(header);
    return tensors;
  }

 private:
  [[noreturn]] void fail(std::uint64_t byte, const std::string& what) const {
    throw InputError(file_.string() + ": byte " + std::to_string(byte), what,
                     "the file is damaged or was cut off while it was copied; get it again");
  }

  std::string beginning() const {
    const std::uint64_t bytes = std::min<std::uint64_t>(mapped_.size(), kLongestMark);
    if (bytes == 0) return "";
    const torch::Tensor text = mapped_.map(0, bytes);
    return {static_cast<const char*>(text.const_data_ptr()), bytes};
  }

  Json parse_header(std::uint64_t length) const {
    const torch::Tensor text = mapped_.map(kLengthBytes, length);
    try {
      Json header = parse_json({static_cast<const char*>(text.const_data_ptr()), length});
      if (!header.is_object()) fail(kLengthBytes, "the header is not a JSON object");
      return header;
    } catch (const JsonError& e) {
      fail(kLengthBytes + e.byte, "the header " + e.what);
    }
  }

  torch::Tensor read_tensor(const std::string& name, const Json& entry) const {
    try {
      const auto dtype_name = entry.at("dtype").get<std::string>();
      const auto shape = whole_numbers<std::int64_t>(entry.at("shape"));
      const auto offsets = offsets_of(entry);
      return view(name, dtype_name, shape, offsets);
    } catch (const Json::exception&) {
      fail(kLengthBytes, "the header's entry for '" + name + "' lacks dtype, shape or data_offsets");
    }
  }

  torch::Tensor view(const std::string& name, const std::string& dtype_name, const std::vector<std::int64_t>& shape,
                     const std::array<std::uint64_t, 2>& offsets) const {
    const auto* known = std::ranges::find_if(kDtypes, [&](auto& d) { return dtype_name == d.first; });
    if (known == kDtypes.end())
      throw InputError(file_.string() + ": byte " + std::to_string(kLengthBytes),
                       "'" + name + "' has the unsupported dtype " + dtype_name,
                       "the file is whole; save its tensors as F32, F16 or BF16");
    const auto [begin, end] = offsets;
    if (begin > end || end > mapped_.size() - data_begin_)
      fail(mapped_.size(), "'" + name + "' should end at byte " + std::to_string(data_begin_ + end) +
                               ", the file has " + std::to_string(mapped_.size()));
    const auto element = static_cast<std::uint64_t>(c10::elementSize(known->second));
    std::uint64_t wanted = element;
    double distance = 1;  // between its first and last element if no size were 0: LibTorch computes strides so
    for (const std::int64_t size : shape) {
      distance *= static_cast<double>(std::max<std::int64_t>(size, 1));
      if (size < 0 || distance > kFarthest || (size > 0 && wanted > mapped_.size() / static_cast<std::uint64_t>(size)))
        fail(kLengthBytes, "'" + name + "' has an impossible shape");
      wanted *= static_cast<std::uint64_t>(size);
    }
    if (wanted != end - begin)
      fail(data_begin_ + begin,
           "'" + name + "' holds " + std::to_string(end - begin) + " bytes, its shape needs " + std::to_string(wanted));
    torch::Tensor raw = mapped_.map(data_begin_ + begin, wanted);
    if ((data_begin_ + begin) % element != 0) raw = raw.clone();  // other writers need not align
    return raw.view(known->second).view(shape);
  }

  /// Tensors must cover the data exactly, each byte once: else something was cut out or written over.
  void check_layout(const Json& header) const {
    std::map<std::uint64_t, std::uint64_t> pieces;
    std::uint64_t total = 0;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      const auto offsets = offsets_of(entry);
      total += offsets[1] - offsets[0];
      if (offsets[1] > offsets[0]) pieces[offsets[0]] = offsets[1];
    }
    std::uint64_t expected = 0;
    for (const auto& [begin, end] : pieces) {
      if (begin != expected) fail(data_begin_ + begin, "tensors overlap or leave a gap");
      expected = end;
    }
    if (expected != total || data_begin_ + expected != mapped_.size())
      fail(data_begin_ + expected, "the tensors end here, the file at byte " + std::to_string(mapped_.size()));
  }

  std::filesystem::path file_;
  MappedFile mapped_;
  std::uint64_t data_begin_ = 0;
};

const char* dtype_name(torch::Dtype dtype) {
  for (const auto& [name, known] : kDtypes)
    if (known == dtype) return name;
  TORCH_CHECK(false, "safetensors: unsupported dtype ", dtype);
}

}  // namespace

NamedTensors read_safetensors(const std::filesystem::path& file) { return Reader(file).read(); }

void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};  // Transformers refuses files without it
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    header[name] = {{"dtype", dtype_name(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, offset + tensor.nbytes()}}};
    offset += tensor.nbytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data is aligned
  std::ofstream out(file, std::ios::binary);
  for (std::uint64_t i = 0; i < kLengthBytes; ++i) out.put(static_cast<char>(text.size() >> (8 * i) & 0xff));
  out << text;
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor plain = tensor.detach().cpu().contiguous();
    out.write(static_cast<const char*>(plain.const_data_ptr()), static_cast<std::streamsize>(plain.nbytes()));
  }
  out.close();
  if (!out)
    throw WriteError(file.string(), std::string("cannot be written: ") + std::strerror(errno), "is the disk full?");
}

}  // namespace bench::model
