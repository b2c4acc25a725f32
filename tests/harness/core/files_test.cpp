#include "harness/core/files.h"

#include "harness/core/error.h"
#include "harness/core/file_lock.h"
#include "harness/core/hash.h"
#include "harness/core/temporary.h"
#include "tests/temporary_folder.h"

#include <csignal>
#include <functional>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

/// While it lives, files end at so many bytes: a write that goes on fails, after a short one, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit lower{bytes, limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &lower);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }

 private:
  void (*before_)(int);
  rlimit limit_{};
};

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Files, AWriteThatEndsShortIsAnErrorThatSaysWhyAndLeavesTheOldFile) {
  const TemporaryFolder folder;
  const fs::path file = folder.write("a.txt", "old");
  std::string said;
  {
    const FileSizeLimit limit(100'000);
    said = message_of([&] { write_file_atomically(file, std::string(110'000, 'x')); });  // its last write
  }
  EXPECT_NE(said.find("a.txt: cannot be written: File too large"), std::string::npos) << said;
  EXPECT_EQ(read_file(file), "old");
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(Files, AppendingAddsAllOfATextOrNothing) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a.txt";
  append_to_file(file, "one\n");
  append_to_file(file, "two\n");
  {
    const FileSizeLimit limit(100);
    EXPECT_THROW(append_to_file(file, std::string(1000, 'x')), Error);
  }
  EXPECT_EQ(read_file(file), "one\ntwo\n");
}

TEST(Files, LargeContentArrivesWhole) {
  const TemporaryFolder folder;
  std::string content;
  for (int i = 0; i < 300'000; ++i) content += std::to_string(i);
  write_file_atomically(folder.path() / "a", [&](std::ostream& out) {
    out << content.substr(0, 10) << content[10];
    out.write(content.data() + 11, static_cast<std::streamsize>(content.size() - 11));
  });
  EXPECT_EQ(read_file(folder.path() / "a"), content);
}

TEST(Files, ASymlinkWhereATemporaryFileUsedToBeIsNotFollowed) {
  const TemporaryFolder folder;
  const fs::path victim = folder.write("victim", "precious");
  fs::create_symlink(victim, folder.path() / (".a.txt.tmp" + std::to_string(::getpid())));
  write_file_atomically(folder.path() / "a.txt", "new");
  write_folder_atomically(folder.path() / "a", [](const fs::path& at) { write_file_atomically(at / "b", "new"); });
  EXPECT_EQ(read_file(victim), "precious");
}

TEST(Files, NoTwoTemporaryNamesAreTheSame) {
  const TemporaryFolder folder;
  const Temporary one(folder.path() / "a", Temporary::Kind::kFile), two(folder.path() / "a", Temporary::Kind::kFile);
  EXPECT_NE(one.path(), two.path());
}

TEST(Files, NothingButAFileIsReplacedByAFileAndNothingButAFolderByAFolder) {
  const TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe", file = folder.write("file", "content");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  fs::create_directory(folder.path() / "folder");
  EXPECT_THROW(write_file_atomically(pipe, "new"), Error);
  EXPECT_THROW(write_file_atomically(folder.path() / "folder", "new"), Error);
  EXPECT_THROW(write_folder_atomically(file, [](const fs::path&) {}), Error);
  EXPECT_TRUE(fs::is_fifo(pipe));
  EXPECT_EQ(read_file(file), "content");
  EXPECT_EQ(entries(folder.path()), 3u);
}

/// A process that is in the middle of writing: its `write` must not return.
class Writer {
 public:
  explicit Writer(const std::function<void()>& write) : child_(::fork()) {
    if (child_ != 0) return;
    write();
    ::_exit(0);
  }
  void kill() {
    if (child_ > 0) ::kill(child_, SIGKILL), ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }
  ~Writer() { kill(); }

 private:
  pid_t child_;
};

[[noreturn]] void wait_for_ever(const fs::path& ready) {
  std::ofstream(ready) << "ready";
  while (true) ::pause();
}

void wait_until_there(const fs::path& path) {
  for (int i = 0; i < 5000 && !fs::exists(path); ++i) ::usleep(10'000);
}

TEST(Files, WhatADeadProcessLeftIsRemovedAndWhatALivingOneWritesIsNot) {
  const TemporaryFolder folder, signs;
  Writer file([&] {
    write_file_atomically(folder.path() / "a", [&](std::ostream&) { wait_for_ever(signs.path() / "file"); });
  });
  Writer filled([&] {
    write_folder_atomically(folder.path() / "b", [&](const fs::path& at) {
      std::ofstream(at / "part") << "half";
      wait_for_ever(signs.path() / "folder");
    });
  });
  wait_until_there(signs.path() / "file");
  wait_until_there(signs.path() / "folder");
  write_file_atomically(folder.path() / "c", "new");
  EXPECT_EQ(entries(folder.path()), 3u);  // c and what the two write into
  file.kill();
  write_file_atomically(folder.path() / "c", "newer");
  EXPECT_EQ(entries(folder.path()), 2u);
  filled.kill();
  write_folder_atomically(folder.path() / "d", [](const fs::path&) {});
  EXPECT_EQ(entries(folder.path()), 2u);  // c and d
}

TEST(Files, OnlyWhatIsCertainlyOursIsRemoved) {
  const TemporaryFolder folder;
  const fs::path victim = folder.write("victim/precious", "content").parent_path();
  for (const char* name : {".a.bench-tmp-", ".a.bench-tmp-0123", ".a.bench-tmp-0123456789abcdeg",
                           "a.bench-tmp-0123456789abcdef", ".a.bench-old-0123456789abcdef0"})
    folder.write(name, "content");
  fs::create_symlink(victim, folder.path() / ".a.bench-tmp-0123456789abcdef");
  const std::size_t before = entries(folder.path());
  remove_stale_temporaries(folder.path());
  EXPECT_EQ(entries(folder.path()), before);
  EXPECT_TRUE(fs::exists(victim / "precious"));
  remove_stale_temporaries(folder.path() / "missing");
}

TEST(Files, AFolderSetAsideByAProcessThatDiedComesBackUnlessAnotherTookItsPlace) {
  const TemporaryFolder folder;
  folder.write(".final.bench-old-0123456789abcdef/a.txt", "old");
  remove_stale_temporaries(folder.path());
  EXPECT_EQ(read_file(folder.path() / "final/a.txt"), "old");
  folder.write(".final.bench-old-0123456789abcdef/a.txt", "older");
  remove_stale_temporaries(folder.path());
  EXPECT_EQ(read_file(folder.path() / "final/a.txt"), "old");
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(FileLock, IsRefusedWithWhoHoldsItUntilItsHolderIsGone) {
  const TemporaryFolder folder, signs;
  const fs::path file = folder.path() / "lock";
  const auto lock = [&] { const FileLock held(file, "wait"); };
  {
    const FileLock held(file, "");
    const std::string said = message_of(lock);
    EXPECT_NE(said.find("is in use by process " + std::to_string(::getpid()) + " on "), std::string::npos) << said;
    EXPECT_NE(said.find("hint: wait"), std::string::npos) << said;
  }
  EXPECT_EQ(message_of(lock), "no error");
  Writer holder([&] {
    const FileLock held(file, "");
    wait_for_ever(signs.path() / "locked");
  });
  wait_until_there(signs.path() / "locked");
  EXPECT_NE(message_of(lock), "no error");
  holder.kill();
  EXPECT_EQ(message_of(lock), "no error");
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

TEST(Files, WhatCannotBeReadIsAnErrorThatSaysWhy) {
  EXPECT_EQ(message_of([] { read_file("/no/such/file"); }), "/no/such/file: no such file");
  EXPECT_EQ(message_of([] { read_file("/"); }), "/: is not a readable file: it is a folder");
  const TemporaryFolder folder;
  const std::string inside = folder.write("file", "").string() + "/a";
  EXPECT_EQ(message_of([&] { read_file(inside); }), inside + ": is not a readable file: Not a directory");
}

TEST(Hash, EqualsXxhsum) {
  // printf abc | xxhsum -H2
  EXPECT_EQ(xxh128("abc"), "06b05ab6733a618578af5f94892f3950");
  const TemporaryFolder folder;
  EXPECT_EQ(xxh128_file(folder.write("a", "abc")), xxh128("abc"));
}

}  // namespace
}  // namespace bench::harness
