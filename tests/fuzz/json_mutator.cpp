// Changes JSON as a tree rather than as bytes, of which most are no JSON any more. Linked with the readers of JSON.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>

#include <nlohmann/json.hpp>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using Json = nlohmann::ordered_json;
using Random = std::minstd_rand;

std::size_t below(Random& random, std::size_t n) { return random() % n; }

void collect(Json& json, std::vector<Json*>& all) {
  all.push_back(&json);
  if (json.is_structured() && all.size() < 10'000)
    for (auto& part : json) collect(part, all);
}

/// Copying and writing what is nested deeper would end this process, before the reader is asked.
bool is_flat(const std::uint8_t* data, std::size_t size) {
  constexpr int kDeepest = 500;
  int depth = 0, deepest = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '[' || data[i] == '{') deepest = std::max(deepest, ++depth);
    if (data[i] == ']' || data[i] == '}') --depth;
  }
  return deepest < kDeepest;
}

/// What readers tend to stumble over.
Json interesting(Random& random) {
  static const std::vector<Json> values{nullptr,
                                        true,
                                        false,
                                        0,
                                        -1,
                                        1,
                                        2,
                                        0.5,
                                        -0.0,
                                        1e308,
                                        -1e308,
                                        5e-324,
                                        1e300,
                                        1e19,
                                        9223372036854775807LL,
                                        -9223372036854775807LL - 1,
                                        18446744073709551615ULL,
                                        2147483648LL,
                                        1LL << 40,
                                        "",
                                        "x",
                                        "\x01",
                                        "1",
                                        "ok",
                                        "skipped",
                                        "error",
                                        "cpu",
                                        "a\"b<script>'&",
                                        "../../x",
                                        "=1",
                                        "NaN",
                                        Json::array(),
                                        Json::object()};
  return values[below(random, values.size())];
}

void change(Json& root, Random& random) {
  std::vector<Json*> all;
  collect(root, all);
  Json& target = *all[below(random, all.size())];
  const Json other = *all[below(random, all.size())];
  switch (below(random, 5)) {
    case 0:
      target = other;
      break;
    case 1:
      if (target.is_structured() && !target.empty())
        target.erase(std::next(target.begin(), static_cast<std::ptrdiff_t>(below(random, target.size()))));
      break;
    case 2:
      if (target.is_array())
        target.push_back(other);
      else if (target.is_object())
        target["key" + std::to_string(below(random, 5))] = other;
      else if (target.is_number())
        target = target.get<double>() * (below(random, 2) ? -1 : 1e9);
      break;
    default:
      target = interesting(random);
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  Random random(seed);
  Json json = is_flat(data, size) ? Json::parse(data, data + size, nullptr, /*allow_exceptions=*/false)
                                  : Json(Json::value_t::discarded);
  if (json.is_discarded() || below(random, 10) < 3) return LLVMFuzzerMutate(data, size, max_size);
  for (std::size_t i = 1 + below(random, 3); i > 0; --i) change(json, random);
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
