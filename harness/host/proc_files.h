#pragma once

#include "harness/host/memory_reading.h"

#include <filesystem>
#include <istream>
#include <optional>
#include <string>

// Reads files of "name: value" lines, as Linux has them under /proc and /sys.
namespace bench::harness {

/// The value of the first line called `name`, without the separators and quotes around it: "AMD EPYC" from "model name
/// : AMD EPYC". With the name "", the first line itself. Returns nothing if there is no such line.
std::optional<std::string> named_value(std::istream& in, const std::string& name);
/// Does the same for a file. Returns nothing also if the file can't be read.
std::optional<std::string> named_value(const std::filesystem::path& file, const std::string& name);

/// Converts a value like "123 kB" to bytes.
std::optional<std::int64_t> kilobytes(const std::optional<std::string>& value);

/// The line "NAME:   123 kB" of a file, in bytes. Some sandboxes leave such lines out. A value of 0 counts as missing
/// too, since no process and no machine really has 0 of any of these.
MemoryReading proc_memory(const std::filesystem::path& file, const std::string& name);

}  // namespace bench::harness
