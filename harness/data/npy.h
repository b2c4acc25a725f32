#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace bench::harness {

/// What a .npy file says of its numbers (NumPy's format, versions 1 to 3).
struct NpyHeader {
  std::string dtype;            // uint16, int32 or int64; unsigned ones of 4 and 8 bytes are read as signed
  std::int64_t data_begin = 0;  // byte
  std::int64_t length = 0;      // numbers
};

/// Nothing if the file doesn't begin as a .npy does. Throws Error for one that isn't a row of whole numbers,
/// little-endian, in one dimension and C order, or doesn't hold as many numbers as it says.
std::optional<NpyHeader> read_npy_header(const std::filesystem::path& file);

}  // namespace bench::harness
