#include "harness/data/npy.h"

#include "harness/core/error.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <regex>
#include <string_view>

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kLongestHeader = 4096;  // one dimension needs few words; NumPy pads them to 128 bytes

struct Dtype {
  const char *descr, *name;
  std::int64_t bytes;
};
// An unsigned number that doesn't fit into the signed type of its size can't be a token. It shows as a negative number.
constexpr std::array<Dtype, 5> kDtypes{
    {{"<u2", "uint16", 2}, {"<i4", "int32", 4}, {"<u4", "int32", 4}, {"<i8", "int64", 8}, {"<u8", "int64", 8}}};

constexpr const char* kHint = "write it as numpy.save(FILE, numpy.asarray(ids, dtype='<i4').ravel())";

/// The header's dictionary, as Python writes it.
std::string dictionary(std::ifstream& in, const std::string& file) {
  std::array<unsigned char, 6> fixed{};  // version and length
  in.read(reinterpret_cast<char*>(fixed.data()), 2);
  const int version = fixed[0];
  if (!in || version < 1 || version > 3 || fixed[1] != 0)
    throw Error(file, fmt::format("is a .npy file of version {}.{}", version, static_cast<int>(fixed[1])),
                "versions 1.0, 2.0 and 3.0 are read");
  const int bytes = version == 1 ? 2 : 4;
  in.read(reinterpret_cast<char*>(fixed.data()) + 2, bytes);
  std::size_t length = 0;
  for (int i = bytes; i-- > 0;) length = length << 8 | fixed[static_cast<std::size_t>(2 + i)];
  if (!in || length > kLongestHeader) throw Error(file, "has a damaged .npy header", "write the file again");
  std::string text(length, '\0');
  in.read(text.data(), static_cast<std::streamsize>(length));
  if (!in) throw Error(file, "ends inside its .npy header", "write the file again");
  return text;
}

std::string value_of(const std::string& header, const std::string& key, const std::string& pattern,
                     const std::string& file) {
  std::smatch found;
  if (!std::regex_search(header, found, std::regex("'" + key + "' *: *" + pattern)))
    throw Error(file, fmt::format("its .npy header has no '{}' that can be read", key), kHint);
  return found[1];
}

}  // namespace

std::optional<NpyHeader> read_npy_header(const fs::path& path) {
  const std::string file = path.string();
  std::ifstream in(path, std::ios::binary);
  std::string magic(kMagic.size(), '\0');
  in.read(magic.data(), static_cast<std::streamsize>(magic.size()));
  if (!in || magic != kMagic) return {};
  const std::string header = dictionary(in, file);
  const std::string descr = value_of(header, "descr", "'([^']*)'", file);
  const auto* dtype = std::ranges::find(kDtypes, descr, &Dtype::descr);
  if (dtype == kDtypes.end())
    throw Error(file, fmt::format("holds numbers of type '{}'", descr),
                fmt::format("little-endian uint16, int32 or int64 are read; {}", kHint));
  if (value_of(header, "fortran_order", "(True|False)", file) == "True")
    throw Error(file, "is in Fortran order", kHint);
  const std::string shape = value_of(header, "shape", "\\(([^)]*)\\)", file);
  std::smatch one;
  if (!std::regex_match(shape, one, std::regex("([0-9]{1,15}),")))
    throw Error(file, fmt::format("has the shape ({}): a stream of tokens has one dimension", shape), kHint);
  const NpyHeader result{dtype->name, static_cast<std::int64_t>(in.tellg()), std::stoll(one[1])};
  const std::int64_t held = static_cast<std::int64_t>(fs::file_size(path)) - result.data_begin;
  if (held != result.length * dtype->bytes)
    throw Error(file,
                fmt::format("holds {} bytes of numbers, its header promises {}", held, result.length * dtype->bytes),
                "it was cut off or added to; write it again");
  return result;
}

}  // namespace bench::harness
