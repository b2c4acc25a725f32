#include "harness/data/synthetic.h"

#include "harness/core/error.h"

#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

namespace bench::harness {
namespace {

constexpr std::array<double, 4> kProbability{0.5, 0.25, 0.125, 0.125};

/// A whole number in [0, bound) that is the same on every platform (std::uniform_int_distribution gives different
/// ones).
std::uint64_t below(std::uint64_t bound, std::mt19937_64& random) {
  const std::uint64_t end = random.max() - random.max() % bound;
  std::uint64_t value = random();
  while (value >= end) value = random();
  return value % bound;
}

}  // namespace

SyntheticLanguage::SyntheticLanguage(std::int64_t vocab_size, std::uint64_t language_seed) {
  if (vocab_size < 8) throw Error("synthetic language", "needs a vocabulary of at least 8 tokens");
  permutation_.resize(static_cast<std::size_t>(vocab_size));
  std::iota(permutation_.begin(), permutation_.end(), 0);
  std::mt19937_64 random(language_seed);
  for (std::size_t i = permutation_.size() - 1; i > 0; --i)
    std::swap(permutation_[i], permutation_[below(i + 1, random)]);
}

std::int32_t SyntheticLanguage::successor(std::int32_t token, std::size_t rank) const {
  return permutation_[(static_cast<std::size_t>(token) + rank) % permutation_.size()];
}

std::vector<std::int32_t> SyntheticLanguage::text(std::int64_t tokens, std::uint64_t text_seed) const {
  std::mt19937_64 random(text_seed);
  std::vector<std::int32_t> text;
  text.reserve(static_cast<std::size_t>(tokens));
  auto token = static_cast<std::int32_t>(below(permutation_.size(), random));
  for (std::int64_t i = 0; i < tokens; ++i) {
    text.push_back(token);
    const std::uint64_t eighth = random() >> 61;  // 0..7: four of them are rank 0, two rank 1, one each rank 2 and 3
    token = successor(token, eighth < 4 ? 0 : eighth < 6 ? 1 : eighth == 6 ? 2 : 3);
  }
  return text;
}

double SyntheticLanguage::nll(std::int32_t token, std::int32_t next) const {
  for (std::size_t rank = 0; rank < kProbability.size(); ++rank)
    if (successor(token, rank) == next) return -std::log(kProbability[rank]);
  return std::numeric_limits<double>::infinity();
}

double SyntheticLanguage::entropy_rate() {
  double nats = 0;
  for (const double p : kProbability) nats -= p * std::log(p);
  return nats;
}

}  // namespace bench::harness
