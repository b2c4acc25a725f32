#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace bench::harness {

/// Reads the whole file. Throws Error naming the path if it can't be read.
std::string read_file(const std::filesystem::path& path);

/// Hands a file's content to `take` piece by piece. Throws Error naming the path if it can't be read to its end.
void read_file_in_pieces(const std::filesystem::path& path, const std::function<void(std::string_view)>& take);

/// Makes a folder and those above it. Does nothing if the folder exists. Throws Error.
void make_folder(const std::filesystem::path& path);

/// Writes a file so that a reader sees either the old content or the new, never a part: it writes a new file with a
/// random name, syncs it (fsync) and renames it. Creates missing folders. Throws Error (no space left, no permission, a
/// device in its place); the old file is then intact. Removes files that other processes left half-written beside it
/// when they died.
void write_file_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Fills a temporary folder with `fill`, syncs everything in it and the folder itself, and then puts it in the place of
/// `path`. Until then, and after any error, `path` keeps its old content. Throws Error, also if `path` is a file.
void write_folder_atomically(const std::filesystem::path& path,
                             const std::function<void(const std::filesystem::path&)>& fill);

/// Appends to a file either all of `text` or nothing. Makes the file if there is none. Throws Error.
void append_to_file(const std::filesystem::path& path, std::string_view text);

}  // namespace bench::harness
