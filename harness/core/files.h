#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace bench::harness {

/// The whole file. Throws Error naming the path if it can't be read.
std::string read_file(const std::filesystem::path& path);

/// Hands a file's content to `take` piece by piece. Throws Error naming the path if it can't be read to its end.
void read_file_in_pieces(const std::filesystem::path& path, const std::function<void(std::string_view)>& take);

/// Makes a folder and those above it; nothing if it is there. Throws Error.
void make_folder(const std::filesystem::path& path);

/// Writes a file so that a reader sees the old content or the new, never a part: a new file of a random name, fsync,
/// rename. Creates missing folders. Throws Error (no space left, no permission, a device in its place); the old file is
/// then intact. Removes what others left half-written beside it when they died.
void write_file_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Fills a temporary folder with `fill`, syncs all that is in it and the folder itself, and puts it in the place of
/// `path`, which keeps its old content until then and in case of any error. Throws Error, also if a file is there.
void write_folder_atomically(const std::filesystem::path& path,
                             const std::function<void(const std::filesystem::path&)>& fill);

/// Adds to the end of a file, all of `text` or nothing of it; makes the file if there is none. Throws Error.
void append_to_file(const std::filesystem::path& path, std::string_view text);

}  // namespace bench::harness
