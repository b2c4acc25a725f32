#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace bench::harness {

/// What a .npy file says about its numbers (NumPy's format, versions 1 to 3).
struct NpyHeader {
  std::string dtype;            // uint16, int32 or int64; uint32 and uint64 are read as signed
  std::int64_t data_begin = 0;  // offset in bytes
  std::int64_t length = 0;      // how many numbers
};

/// Reads the header of a file. Returns nothing if the file doesn't begin as a .npy does. Throws Error unless the
/// numbers are whole numbers, little-endian, in one dimension and C order, and as many as the header says.
std::optional<NpyHeader> read_npy_header(const std::filesystem::path& file);

}  // namespace bench::harness
