// The cache of self-tests, with shell scripts in the place of the program.
#include "harness/selftest/cache.h"

#include "harness/core/files.h"
#include "tests/temporary_folder.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;

class SelfTestCache : public testing::Test {
 protected:
  /// A program that notes its arguments in `calls`, and then does what `script` says. $OUT is the file that it was
  /// asked for.
  fs::path program(const std::string& script) const {
    const fs::path file = folder_.write("program", "#!/bin/sh\necho \"$@\" >> '" + calls_.string() +
                                                       "'\nfor OUT in \"$@\"; do :; done\n" + script + "\n");
    fs::permissions(file, fs::perms::owner_all);
    return file;
  }
  /// A program that says that the first `passed` probes passed, and the others failed.
  fs::path answering(std::size_t passed, const std::string& then = "") const {
    SelfTest test{selftest_place(device_), {}};
    for (const Probe& probe : probes())
      test.results.push_back({probe.name, test.results.size() < passed, 1, 1, "said by a script", 0});
    return saying(test, then);
  }
  fs::path saying(const SelfTest& test, const std::string& then) const {
    const fs::path answer = folder_.write("answer.json", dumped(to_json(test)));
    return program("cp '" + answer.string() + "' \"$OUT\"\n" + then);
  }
  /// The arguments of each call.
  std::string calls() const { return fs::exists(calls_) ? read_file(calls_) : ""; }
  std::size_t count() const {
    const std::string text = calls();
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }
  SelfTest ask(const fs::path& file) const { return selftest_of(device_, file, cache_); }
  /// The files of the cache.
  std::vector<fs::path> kept() const {
    std::vector<fs::path> files;
    if (!fs::exists(cache_)) return files;
    for (const auto& entry : fs::directory_iterator(cache_)) files.push_back(entry.path());
    return files;
  }

  const Device& device_ = *device_named("cpu");
  tests::TemporaryFolder folder_;
  const fs::path calls_ = folder_.path() / "calls", cache_ = folder_.path() / "cache" / "selftest";
};

TEST_F(SelfTestCache, OneThatPassedIsNotRunAgain) {
  const fs::path file = answering(probes().size());
  EXPECT_TRUE(ask(file).passed());
  const SelfTest again = ask(file);
  EXPECT_TRUE(again.passed());
  EXPECT_EQ(again.results[0].detail, "said by a script");
  EXPECT_EQ(count(), 1u);
  EXPECT_TRUE(calls().starts_with("selftest --device cpu --json --out ")) << calls();
}

TEST_F(SelfTestCache, AnotherBuildRunsItAgain) {
  EXPECT_TRUE(ask(answering(probes().size())).passed());
  EXPECT_TRUE(ask(answering(probes().size(), "# another build")).passed());
  EXPECT_EQ(count(), 2u);
  EXPECT_EQ(kept().size(), 2u);
}

TEST_F(SelfTestCache, AnotherDriverRunsItAgain) {
  const fs::path file = answering(probes().size());
  Device updated = device_;
  updated.driver_version = [] { return std::string("2.0"); };
  EXPECT_TRUE(ask(file).passed());
  EXPECT_TRUE(selftest_of(updated, file, cache_).passed());
  EXPECT_EQ(count(), 2u);
}

TEST_F(SelfTestCache, AProcessThatCrashesBehindItsLastProbeHasNotPassed) {
  for (const char* end : {"kill -ABRT $$", "exit 3"}) {
    const SelfTest test = ask(answering(probes().size(), end));
    EXPECT_FALSE(test.passed()) << end;
    EXPECT_EQ(test.results.size(), probes().size());
  }
  EXPECT_TRUE(kept().empty());
}

TEST_F(SelfTestCache, OneThatFailedIsNeverKept) {
  const fs::path file = answering(probes().size() - 1, "exit 1");
  for (int i = 0; i < 2; ++i) {
    const SelfTest test = ask(file);
    ASSERT_EQ(test.failed().size(), 1u);
    EXPECT_EQ(test.failed()[0]->probe, probes().back().name);
  }
  EXPECT_EQ(count(), 2u);
  EXPECT_TRUE(kept().empty());
}

TEST_F(SelfTestCache, AFileThatCannotBeReadIsAsGoodAsNone) {
  const fs::path file = answering(probes().size());
  ask(file);
  for (const std::string content : {"", "{", "[]", "{\"schema\": \"bench-selftest/0\"}"}) {
    ASSERT_EQ(kept().size(), 1u);
    write_file_atomically(kept()[0], content);
    EXPECT_TRUE(ask(file).passed()) << content;
  }
  EXPECT_EQ(count(), 5u);
}

TEST_F(SelfTestCache, AFolderThatCannotBeWrittenCostsTimeOnly) {
  folder_.write("cache", "a file in the folder's place");
  const fs::path file = answering(probes().size());
  EXPECT_TRUE(ask(file).passed());
  EXPECT_TRUE(ask(file).passed());
  EXPECT_EQ(count(), 2u);
}

TEST_F(SelfTestCache, AProcessThatCrashesFailsTheProbeThatItWasIn) {
  SelfTest test{selftest_place(device_), {}};
  test.results.push_back({probes()[0].name, true, 0, 1, "", 0});
  const SelfTest found = ask(saying(test, "kill -ABRT $$"));
  ASSERT_EQ(found.results.size(), 2u);
  EXPECT_TRUE(found.results[0].passed);
  EXPECT_EQ(found.results[1].text(),
            std::string(probes()[1].name) + ": the process of the self-test crashed with signal 6");
  EXPECT_FALSE(found.passed());
  EXPECT_TRUE(kept().empty());
}

TEST_F(SelfTestCache, AProcessThatLeavesNothingFailsTheFirstProbe) {
  const SelfTest test = ask(program("exit 3"));
  EXPECT_EQ(test.place.device, "cpu");
  EXPECT_NE(test.reason().find("ended with exit code 3"), std::string::npos) << test.reason();
}

TEST_F(SelfTestCache, ADeviceThatNeedsNoneIsNotAsked) { EXPECT_FALSE(selftest_if_needed(device_).has_value()); }

/// Sets a variable of the environment, or removes it, while the object lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name), had_(std::getenv(name) != nullptr) {
    if (had_) before_ = std::getenv(name);
    value ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ~Variable() { had_ ? ::setenv(name_, before_.c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  bool had_;
  std::string before_;
};

TEST(SelfTestCacheFolder, IsTheUsersCacheOrNone) {
  const Variable home("HOME", "/home/ada");
  {
    const Variable cache("XDG_CACHE_HOME", "/caches");
    EXPECT_EQ(selftest_cache_folder(), "/caches/bench/selftest");
  }
  {
    const Variable cache("XDG_CACHE_HOME", "relative");  // which its specification says to ignore
    EXPECT_EQ(selftest_cache_folder(), "/home/ada/.cache/bench/selftest");
  }
  const Variable cache("XDG_CACHE_HOME", nullptr);
  EXPECT_EQ(selftest_cache_folder(), "/home/ada/.cache/bench/selftest");
  const Variable homeless("HOME", nullptr);
  EXPECT_EQ(selftest_cache_folder(), "");
}

}  // namespace
}  // namespace bench::harness
