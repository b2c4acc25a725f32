#include "harness/core/files.h"

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryFolder;

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(Files, AtomicWriteReplacesTheContent) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "new" / "a.txt";
  write_file_atomically(file, "one");
  write_file_atomically(file, "two");
  EXPECT_EQ(read_file(file), "two");
  EXPECT_EQ(entries(folder.path() / "new"), 1u);
}

TEST(Files, FailedWriteLeavesTheOldFileAndNoLitter) {
  const TemporaryFolder folder;
  const fs::path file = folder.write("a.txt", "old");
  EXPECT_THROW(write_file_atomically(file,
                                     [](std::ostream& out) {
                                       out << "half";
                                       out.setstate(std::ios::failbit);
                                     }),
               Error);
  EXPECT_THROW(write_file_atomically(file, [](std::ostream&) { throw std::runtime_error("midway"); }),
               std::runtime_error);
  EXPECT_EQ(read_file(file), "old");
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(Files, FullDiskIsAnErrorThatNamesTheFile) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  const TemporaryFolder folder;
  fs::create_symlink("/dev/full", folder.path() / "link");
  // Writing through to /dev/full fails as a full disk does: on the flush, not before.
  std::ofstream out(folder.path() / "link");
  out << std::string(1 << 20, 'x');
  out.close();
  EXPECT_FALSE(out);
}

TEST(Files, FailedFolderWriteLeavesTheOldFolder) {
  const TemporaryFolder folder;
  folder.write("run/final/a.txt", "old");
  EXPECT_THROW(write_folder_atomically(folder.path() / "run/final/",
                                       [](const fs::path& temporary) {
                                         write_file_atomically(temporary / "a.txt", "new");
                                         throw Error("a", "no space");
                                       }),
               Error);
  EXPECT_EQ(read_file(folder.path() / "run/final/a.txt"), "old");
  EXPECT_EQ(entries(folder.path() / "run"), 1u);
}

TEST(Files, FolderWriteReplacesTheWholeFolder) {
  const TemporaryFolder folder;
  folder.write("final/stale.txt", "old");
  write_folder_atomically(folder.path() / "final",
                          [](const fs::path& temporary) { write_file_atomically(temporary / "a.txt", "new"); });
  EXPECT_EQ(read_file(folder.path() / "final/a.txt"), "new");
  EXPECT_FALSE(fs::exists(folder.path() / "final/stale.txt"));
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(Files, MissingFileIsAnError) { EXPECT_THROW(read_file("/no/such/file"), Error); }

TEST(Hash, EqualsXxhsum) {
  // printf abc | xxhsum -H2
  EXPECT_EQ(xxh128("abc"), "06b05ab6733a618578af5f94892f3950");
  const TemporaryFolder folder;
  EXPECT_EQ(xxh128_file(folder.write("a", "abc")), xxh128("abc"));
}

}  // namespace
}  // namespace bench::harness
