#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace bench::harness {

/// The whole file. Throws Error naming the path if it can't be read.
std::string read_file(const std::filesystem::path& path);

/// Makes a folder and those above it; nothing if it is there. Throws Error.
void make_folder(const std::filesystem::path& path);

/// Writes a file so that a reader sees the old content or the new, never a part: temporary name, fsync, rename.
/// Creates missing folders. Throws Error (no space left, no permission); the old file is then intact.
void write_file_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Fills a temporary folder with `fill`, syncs its files, and puts it in the place of `path`, which keeps its old
/// content until then and in case of any error.
void write_folder_atomically(const std::filesystem::path& path,
                             const std::function<void(const std::filesystem::path&)>& fill);

}  // namespace bench::harness
