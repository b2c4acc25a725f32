#include "harness/judging/record.h"

#include "harness/core/stats.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace bench::harness {
namespace {

constexpr std::array<std::pair<Record::Status, const char*>, 4> kStatusNames{{{Record::Status::kOk, "ok"},
                                                                              {Record::Status::kSkipped, "skipped"},
                                                                              {Record::Status::kNotRun, "not_run"},
                                                                              {Record::Status::kError, "error"}}};

// A block doesn't count if other programs, or other virtual machines, took more than this share of all processors
// during it.
constexpr double kMostOthers = 0.10, kMostStolen = 0.05;
// A block doesn't count either if the speed probe before it differed from the record's median probe by more than this
// factor. On some machines, memory is at times half or twice as fast for seconds, and shares are taken of the median of
// the probes.
constexpr double kLeastProbeShare = 0.85;
constexpr double kMostSwapGrowth = 16e6;  // bytes

double median_probe(const std::vector<Block>& blocks, double Block::* probe) {
  std::vector<double> values;
  for (const auto& block : blocks)
    if (block.*probe > 0) values.push_back(block.*probe);
  return quantile(values, 0.5);
}

bool is_hot(const Block& block) { return block.thermal_level > 0; }

/// Whether the case is measured as hot as the machine gets: training's work goes on until it is.
bool takes_heat(const Record& record) { return record.type == "train"; }

/// The median of the speed probe over the blocks.
Block median_speed(const std::vector<Block>& blocks) {
  Block usual;
  usual.matmul_flops_per_s = median_probe(blocks, &Block::matmul_flops_per_s);
  usual.read_bytes_per_s = median_probe(blocks, &Block::read_bytes_per_s);
  return usual;
}

/// The speed that is usual in a record's cool and in its hot blocks. They differ only where heat is taken.
struct UsualSpeed {
  explicit UsualSpeed(const Record& record) : heat_counts(takes_heat(record)) {
    if (!heat_counts) {
      cool = hot = median_speed(record.blocks);
      return;
    }
    std::vector<Block> cool_blocks, hot_blocks;
    for (const auto& block : record.blocks) (is_hot(block) ? hot_blocks : cool_blocks).push_back(block);
    cool = median_speed(cool_blocks);
    hot = median_speed(hot_blocks);
  }
  bool heat_counts;
  Block cool, hot;
};

std::string disturbance_of(const Block& block, const UsualSpeed& usual_speed) {
  if (block.stolen > kMostStolen)
    return fmt::format("other virtual machines took {:.0f} % of the processors", 100 * block.stolen);
  if (block.others > kMostOthers)
    return fmt::format("other programs took {:.0f} % of the processors", 100 * block.others);
  if (block.swap_growth_bytes > kMostSwapGrowth)
    return fmt::format("swap grew by {:.0f} MB", block.swap_growth_bytes / 1e6);
  if (is_hot(block) && !usual_speed.heat_counts)
    return fmt::format("the machine was hot: thermal level {:.0f}", block.thermal_level);
  const Block& usual = is_hot(block) ? usual_speed.hot : usual_speed.cool;
  for (const auto& [probe, name] : {std::pair{&Block::matmul_flops_per_s, "matrix products"},
                                    std::pair{&Block::read_bytes_per_s, "memory reads"}}) {
    const double share = block.*probe / (usual.*probe);
    if (block.*probe > 0 && (share < kLeastProbeShare || share > 1 / kLeastProbeShare))
      return fmt::format("{} ran at {:.0f} % of their usual speed", name, 100 * share);
  }
  return "";
}

/// Why the times of blocks with these disturbances can't be trusted, or "".
std::string mostly_disturbed(const std::vector<Block>& blocks, const std::vector<std::string>& reasons) {
  std::size_t disturbed = 0, all = 0;
  std::string why;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].warmup) continue;
    ++all;
    if (reasons[i].empty()) continue;
    ++disturbed;
    why = reasons[i];
  }
  return 2 * disturbed > all ? fmt::format("{} of {} blocks were disturbed: {}", disturbed, all, why) : "";
}

/// Which blocks count: all but warm-up and disturbed blocks. If more than half were disturbed, all but warm-up blocks
/// count.
std::vector<bool> which_count(const std::vector<Block>& blocks, const std::vector<std::string>& reasons) {
  const bool disturbed = !mostly_disturbed(blocks, reasons).empty();
  std::vector<bool> counts;
  for (std::size_t i = 0; i < blocks.size(); ++i)
    counts.push_back(!blocks[i].warmup && (disturbed || reasons[i].empty()));
  return counts;
}

std::string first_note(const Record& record, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const auto found = record.notes.find(name); found != record.notes.end()) return found->second;
  return "";
}

/// A perplexity of so few windows describes only one passage. Even if all the next windows' perplexities were higher
/// than its own, or all were lower, that would happen by chance in more than one draw of twenty.
std::string too_few_windows(std::size_t windows) {
  if (windows == 0 || windows >= kFewestForInterval) return "";
  return fmt::format("{} of the {} windows that an interval needs: a longer text or a shorter context would help",
                     windows, kFewestForInterval);
}

/// Ranges that don't fit their series would make every statistic nonsense.
void check_ranges(const Record& record, const std::string& where) {
  for (const auto& block : record.blocks)
    for (const auto& [name, range] : block.samples)
      if (range.first > range.second || range.second > record.samples(name).size())
        throw Error(where, fmt::format("a block claims samples {}..{} of {}, which has {}", range.first, range.second,
                                       name, record.samples(name).size()));
}

}  // namespace

const char* status_name(Record::Status status) {
  for (const auto& [known, name] : kStatusNames)
    if (known == status) return name;
  return "?";
}

void Record::add(const std::string& series_name, const char* unit, double sample) {
  Series& target = series[series_name];
  target.unit = unit;
  target.samples.push_back(sample);
}

const std::vector<double>& Record::samples(const std::string& series_name) const {
  static const std::vector<double> none;
  const auto found = series.find(series_name);
  return found == series.end() ? none : found->second.samples;
}

std::vector<double> Record::counted(const std::string& series_name) const {
  const auto& all = samples(series_name);
  const auto block_counts = which_count(blocks, disturbances());
  std::vector<bool> counts(all.size(), true);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const auto found = blocks[b].samples.find(series_name);
    if (found == blocks[b].samples.end() || block_counts[b]) continue;
    for (std::size_t i = found->second.first; i < found->second.second; ++i) counts[i] = false;
  }
  std::vector<double> kept;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (counts[i]) kept.push_back(all[i]);
  return kept;
}

std::string Record::main_series() const {
  std::map<std::string, std::size_t> counts;
  for (const auto& block : blocks)
    for (const auto& [series_name, range] : block.samples) counts[series_name] += range.second - range.first;
  if (counts.contains(series::kWallTimeS)) return series::kWallTimeS;  // a program's, whatever it reports itself
  const auto most = std::ranges::max_element(counts, [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? "" : most->first;
}

double Record::block_median(const Block& block, const std::string& series_name) const {
  const auto found = block.samples.find(series_name);
  if (found == block.samples.end()) return std::nan("");
  const auto begin = samples(series_name).begin();
  return quantile({begin + static_cast<std::ptrdiff_t>(found->second.first),
                   begin + static_cast<std::ptrdiff_t>(found->second.second)},
                  0.5);
}

std::string Record::disturbance(const Block& block) const { return disturbance_of(block, UsualSpeed(*this)); }

std::string Record::ran_hot() const {
  double hot_s = 0, all_s = 0, level = 0;
  for (const auto& block : blocks) {
    all_s += block.end_s - block.begin_s;
    if (!is_hot(block)) continue;
    hot_s += block.end_s - block.begin_s;
    level = std::max(level, block.thermal_level);
  }
  if (level <= 0) return "";
  return fmt::format("hot for {:.0f} % of the measured time, up to thermal level {:.0f}", 100 * hot_s / all_s, level);
}

std::vector<std::string> Record::disturbances() const {
  const UsualSpeed usual(*this);
  std::vector<std::string> reasons;
  for (const auto& block : blocks) reasons.push_back(disturbance_of(block, usual));
  return reasons;
}

std::vector<const Block*> Record::counted_blocks() const {
  const auto counts = which_count(blocks, disturbances());
  std::vector<const Block*> kept;
  for (std::size_t i = 0; i < blocks.size(); ++i)
    if (counts[i]) kept.push_back(&blocks[i]);
  return kept;
}

std::string Record::was_disturbed() const { return mostly_disturbed(blocks, disturbances()); }

std::string Record::incomplete() const {
  const std::string noted = first_note(*this, {"did_not_fit", "cut_short"});
  if (!noted.empty()) return noted;
  const std::string windows = too_few_windows(samples(series::kWindowTokens).size());
  return windows.empty() ? compared_too_few() : windows;
}

std::string Record::compared_too_few() const {
  const double tokens = fact(facts::kQuantizationTokens);
  if (!(tokens < kFewestComparedTokens)) return "";  // NaN, from an older record without the number, returns here too
  return fmt::format("{:.0f} of the {} tokens that judging quantized weights needs: a longer quality_text would help",
                     tokens, kFewestComparedTokens);
}

std::string Record::steps_cut() const { return first_note(*this, {kStepsCutNote}); }

std::string Record::came_after_cut() const { return first_note(*this, {kCameAfterCutNote}); }

std::string Record::peak_unread() const { return first_note(*this, {kPeakUnreadNote}); }

std::string Record::partial() const { return first_note(*this, {"partial_step", "partial_round"}); }

double Record::fact(const std::string& fact_name) const {
  const auto found = facts.find(fact_name);
  return found == facts.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

bool Record::declares(const std::string& metric) const { return find_declared(declared, metric) != nullptr; }

bool Record::is_timed(const std::string& series_name, const std::string& unit) const {
  const DeclaredMetric* metric = find_declared(declared, series_name);
  return metric ? metric->nature == "timed" : unit == "s";
}

Record new_record(std::string name, std::string type, Json config, std::vector<DeclaredMetric> declared) {
  Record record;
  record.name = std::move(name);
  record.type = std::move(type);
  record.config = std::move(config);
  record.declared = std::move(declared);
  return record;
}

void to_json(Json& json, const SampleRange& range) { json = {range.first, range.second}; }

void from_json(const Json& json, SampleRange& range) {
  range = {static_cast<std::size_t>(whole_number(json.at(0))),  // check_ranges: none is negative
           static_cast<std::size_t>(whole_number(json.at(1)))};
}

void to_json(Json& json, const Record::Status& status) { json = status_name(status); }

void from_json(const Json& json, Record::Status& status) {
  const auto name = json.get<std::string>();
  const auto known = std::ranges::find(kStatusNames, name, &std::pair<Record::Status, const char*>::second);
  if (known == kStatusNames.end()) throw Error("status", fmt::format("unknown case status '{}'", name));
  status = known->first;
}

Json to_json(const Record& record) {
  Json json = to_json<Record>(record);
  if (!record.declared.empty()) json["metrics"] = to_json(record.declared);
  return json;
}

Record record_from_json(const Json& json, const std::string& where) {
  Record record;
  try {
    read_json(json, record);
  } catch (const Json::exception& e) {
    throw Error(where, fmt::format("is not a case record: {}", e.what()));
  } catch (const Error& e) {
    throw Error(where, e.message());
  }
  // Once more as a config: with no key that is unknown, and no text that would steer a terminal.
  record.before = read_config<Conditions>(YamlNode::parse(dumped(json.at("before")), where));
  record.after = read_config<Conditions>(YamlNode::parse(dumped(json.at("after")), where));
  if (json.contains("metrics")) record.declared = declared_from_json(json.at("metrics"), where);
  check_ranges(record, where);
  return record;
}

}  // namespace bench::harness
