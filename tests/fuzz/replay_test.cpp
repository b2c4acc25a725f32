#include "harness/core/files.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <vector>

#include <gtest/gtest.h>

// The entry points of tests/fuzz, each under its own name; BENCH_READERS is X(config) X(suite) ..., by CMake.
extern "C" {
#define X(reader) int read_##reader(const std::uint8_t* data, std::size_t size);
BENCH_READERS
#undef X
}

namespace bench::harness {
namespace {

namespace fs = std::filesystem;

struct Reader {
  const char* name;
  int (*read)(const std::uint8_t*, std::size_t);
};
constexpr Reader kReaders[] = {
#define X(reader) {#reader, read_##reader},
    BENCH_READERS
#undef X
};

std::vector<fs::path> seeds_of(const Reader& reader) {
  std::vector<fs::path> seeds;
  for (const auto& entry : fs::directory_iterator(fs::path(BENCH_SOURCE_DIR) / "tests/fuzz/seeds" / reader.name))
    seeds.push_back(entry.path());
  std::ranges::sort(seeds);
  return seeds;
}

class Fuzz : public testing::TestWithParam<Reader> {
 protected:
  void SetUp() override { fs::current_path(BENCH_SOURCE_DIR); }
  static void read(const std::string& bytes) {
    GetParam().read(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
};

TEST_P(Fuzz, EverySeedIsTakenOrRefused) {
  const auto seeds = seeds_of(GetParam());
  EXPECT_FALSE(seeds.empty());
  for (const auto& seed : seeds) EXPECT_NO_THROW(read(read_file(seed))) << seed;
}

TEST_P(Fuzz, SoIsEverySeedThatWasCutOffOrHasAFlippedBit) {
  constexpr std::size_t kPlaces = 24;
  for (const auto& seed : seeds_of(GetParam())) {
    const std::string whole = read_file(seed);
    for (std::size_t i = 0; i < std::min(kPlaces, whole.size()); ++i) {
      const std::size_t at = i * whole.size() / kPlaces;
      EXPECT_NO_THROW(read(whole.substr(0, at))) << seed << " cut off at " << at;
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << i % 8));
      EXPECT_NO_THROW(read(flipped)) << seed << " with a flipped bit at " << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Readers, Fuzz, testing::ValuesIn(kReaders),
                         [](const auto& reader) { return std::string(reader.param.name); });

}  // namespace
}  // namespace bench::harness
