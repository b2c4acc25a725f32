#include "harness/running/ab.h"

#include "harness/core/clock.h"
#include "harness/devices/current_environment.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace bench::harness {
namespace {

constexpr std::int64_t kLookEvery = 2;  // pairs

std::int64_t looks(const AbOptions& options) {
  return std::max<std::int64_t>(0, options.most_pairs - options.fewest_pairs) / kLookEvery + 1;
}

bool is_look(std::int64_t pairs, const AbOptions& options) {
  return pairs >= options.fewest_pairs &&
         ((pairs - options.fewest_pairs) % kLookEvery == 0 || pairs == options.most_pairs);
}

std::vector<double> log_ratios(const std::vector<AbPair>& pairs) {
  std::vector<double> values;
  for (const auto& pair : pairs) values.push_back(pair.log_ratio());
  return values;
}

/// The fastest of the first `count` samples of a block.
double fastest(const Record& record, const Block& block, const std::string& series, std::size_t count) {
  const auto first = record.samples(series).begin() + static_cast<std::ptrdiff_t>(block.samples.at(series).first);
  return quantile({first, first + static_cast<std::ptrdiff_t>(count)}, 0);  // NaN if a sample is NaN
}

std::size_t sample_count(const Block& block, const std::string& series) {
  const auto found = block.samples.find(series);
  return found == block.samples.end() ? 0 : found->second.second - found->second.first;
}

/// Pairs the blocks of both records that ran beside each other and count on both sides. From both blocks of a pair it
/// takes equally many samples. The slower side has fewer samples in the same time, and the fastest of fewer samples is
/// slower.
AbPair paired_blocks(const Record& a, const Record& b, const std::string& series, bool a_first) {
  AbPair pair{a_first, {}, {}};
  const std::size_t blocks = std::min(a.blocks.size(), b.blocks.size());
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t count = std::min(sample_count(a.blocks[i], series), sample_count(b.blocks[i], series));
    if (a.blocks[i].warmup || b.blocks[i].warmup || count == 0) continue;
    pair.a_s.push_back(fastest(a, a.blocks[i], series, count));
    pair.b_s.push_back(fastest(b, b.blocks[i], series, count));
  }
  return pair;
}

void fail(AbCase& one, const std::string& why) {
  one.error = true;
  one.why = why;
}

/// Runs a pair of processes, and adds its results to the case.
void add_pair(const CaseSpec& a, const CaseSpec& b, const AbOptions& options, bool a_first, AbCase& one) {
  const auto [record_a, record_b] =
      run_in_turns(ab_request(a, options, 0), options.program_a, ab_request(b, options, options.planted_slowdown),
                   options.program_b, a_first);
  for (const auto& [record, side] : {std::pair{&record_a, "A"}, std::pair{&record_b, "B"}})
    if (record->status != Record::Status::kOk) return fail(one, fmt::format("{}: {}", side, record->reason));
  one.series = record_a.main_series();
  one.untimed = std::ranges::none_of(record_a.series, [](const auto& series) { return series.second.unit == "s"; });
  if (one.untimed) {
    one.why = "times nothing, so there is nothing to compare";
    return;
  }
  const AbPair pair = paired_blocks(record_a, record_b, one.series, a_first);
  if (pair.a_s.empty()) {
    one.cut_short = true;
    one.why = "the time was up before a block was timed on both sides: raise the case's budget_s";
    return;
  }
  one.pairs.push_back(pair);
}

void judge_case(const AbOptions& options, AbCase& one) {
  const auto n = static_cast<std::int64_t>(one.pairs.size());
  if (one.ended() || !is_look(n, options)) return;
  one.change = judge_pairs(one.pairs, options);
  if (one.change != Change::kCantTell) return;
  if (one.pairs.size() < kFewestForInterval) {
    one.why = fmt::format("{} pairs are too few to say how sure it is, {} are needed", n, kFewestForInterval);
    return;
  }
  const Estimate ratio = one.ratio();
  if (!std::isfinite(ratio.value)) {
    one.why = "a time is not a number, or 0";
    return;
  }
  one.why = fmt::format("the change of time lies between {:+.1f} % and {:+.1f} %", 100 * (ratio.low - 1),
                        100 * (ratio.high - 1));
}

Json pair_json(const AbPair& pair) {
  return {{"a_first", pair.a_first}, {"a_s", pair.a_s}, {"b_s", pair.b_s}, {"log_ratio", pair.log_ratio()}};
}

}  // namespace

CaseRequest ab_request(const CaseSpec& spec, const AbOptions& options, double planted_slowdown) {
  // The request has only the keys that the suite sets, because an older program doesn't know newer keys.
  Json config = find_case_type(spec.type)->without_defaults(spec.config);
  // A run that keeps its checkpoint takes no turns, and both sides would write the same folder. So only its steps are
  // compared.
  config.erase("keep_checkpoint");
  return {.name = spec.name,
          .type = spec.type,
          .device = options.device,
          .budget_s = spec.budget_s,
          .config = config,
          .metrics = spec.metrics,
          .precision = 0,  // both sides make all blocks, even if an older program knows its speed sooner
          .max_blocks = options.blocks,
          .planted_slowdown = planted_slowdown,
          .in_turns = true};
}

double AbPair::log_ratio() const {
  std::vector<double> values;
  for (std::size_t i = 0; i < a_s.size(); ++i) values.push_back(std::log(b_s[i] / a_s[i]));
  return signed_rank(values).centre.value;
}

Estimate AbCase::ratio() const {
  const Estimate e = signed_rank(log_ratios(pairs)).centre;
  return {std::exp(e.value), std::exp(e.low), std::exp(e.high), e.n};  // NaN stays NaN
}

Change judge_pairs(const std::vector<AbPair>& pairs, const AbOptions& options) {
  if (pairs.size() < kFewestForInterval) return Change::kCantTell;
  const SignedRank ranks = signed_rank(log_ratios(pairs));
  const Estimate& e = ranks.centre;
  if (!std::isfinite(e.value)) return Change::kCantTell;
  const double half_width = std::max(e.high - e.value, e.value - e.low);
  return judge_change(-e.value, half_width, ranks.p_value * static_cast<double>(looks(options)), options.tolerance);
}

AbResult run_ab(const Suite& a, const Suite& b, const AbOptions& options,
                const std::function<void(const AbCase&)>& on_pair) {
  AbResult result{options, utc_timestamp(), to_json(current_environment()), {}};
  std::vector<std::pair<const CaseSpec*, const CaseSpec*>> specs;
  for (const auto& spec : a.cases)
    for (const auto& other : b.cases)
      if (spec.name == other.name) {
        specs.emplace_back(&spec, &other);
        result.cases.push_back({spec.name, "", {}, Change::kCantTell, "", false});
      }
  std::mt19937_64 random(static_cast<std::uint64_t>(options.seed));
  bool a_first = random() % 2 == 0;  // then in turns, A B B A, so that drift cancels
  bool open = true;
  for (; open; a_first = !a_first) {
    open = false;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      AbCase& one = result.cases[i];
      if (one.ended() || one.change != Change::kCantTell ||
          static_cast<std::int64_t>(one.pairs.size()) >= options.most_pairs)
        continue;
      open = true;
      add_pair(*specs[i].first, *specs[i].second, options, a_first, one);
      judge_case(options, one);
      on_pair(one);
    }
  }
  return result;
}

Exit AbResult::exit_code() const {
  const auto any = [&](auto&& condition) { return std::ranges::any_of(cases, condition); };
  const auto timed = [](const AbCase& c) { return !c.untimed; };
  if (any([](const auto& c) { return c.error; })) return Exit::kCaseError;
  if (any([](const auto& c) { return c.change == Change::kWorse; })) return Exit::kGateFailed;
  if (!any(timed)) return Exit::kNotJudged;
  return any([&](const auto& c) { return timed(c) && c.change == Change::kCantTell; }) ? Exit::kNotJudged : Exit::kOk;
}

Json to_json(const AbResult& result) {
  const AbOptions& o = result.options;
  Json json = {{"schema", "bench-ab/1"},
               {"created", result.created},
               {"environment", result.environment},
               {"device", o.device},
               {"tolerance", o.tolerance},
               {"fewest_pairs", o.fewest_pairs},
               {"most_pairs", o.most_pairs},
               {"blocks", o.blocks},
               {"planted_slowdown", o.planted_slowdown},
               {"seed", o.seed},
               {"exit_code", static_cast<int>(result.exit_code())},
               {"cases", Json::array()}};
  for (const auto& one : result.cases) {
    Json pairs = Json::array();
    for (const auto& pair : one.pairs) pairs.push_back(pair_json(pair));
    const Estimate ratio = one.ratio();
    json["cases"].push_back({{"name", one.name},
                             {"series", one.series},
                             {"change", one.error     ? "error"
                                        : one.untimed ? "untimed"
                                                      : change_name(one.change)},
                             {"why", one.why},
                             {"time_ratio", number_or_null(ratio.value)},
                             {"low", number_or_null(ratio.low)},
                             {"high", number_or_null(ratio.high)},
                             {"pairs", pairs}});
  }
  return json;
}

}  // namespace bench::harness
