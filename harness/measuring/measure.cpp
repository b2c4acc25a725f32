#include "harness/measuring/measure.h"

#include "harness/core/clock.h"
#include "harness/host/environment.h"
#include "harness/measuring/device_operators.h"
#include "harness/measuring/operator_table.h"
#include "harness/measuring/work_counter.h"
#include "model/path.h"
#include "model/tensor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>

namespace bench::harness {
namespace {

double planted_slowdown = 0;

// The products grow until a call takes this long. A shorter call would measure how calls begin: some 15 us on a CPU,
// and the wait for the queue where work is queued. But the products must also be short enough to be timed beside every
// block.
constexpr std::int64_t kSmallestProduct = 512, kLargestProduct = 8192;
constexpr double kLongCall_s = 0.5e-3, kLongQueuedCall_s = 2e-3;

/// Square matrices and their product. The product's memory is reused, so that page faults are not part of the speed.
struct Products {
  torch::Tensor a, b, product;

  Products(std::int64_t size, const torch::TensorOptions& options)
      : a(torch::ones({size, size}, options)), b(torch::ones_like(a)), product(torch::empty_like(a)) {}
  void multiply() { torch::mm_out(product, a, b); }
  double flops() const { return 2.0 * static_cast<double>(a.size(0)) * static_cast<double>(a.numel()); }
  std::int64_t bytes() const { return 3 * static_cast<std::int64_t>(a.nbytes()); }
};

/// The bytes to read for measuring the speed of memory: twice what the caches hold, as far as that is known.
std::int64_t read_bytes(const Device& device) {
  constexpr std::int64_t kLeast = std::int64_t{128} << 20, kMost = std::int64_t{1} << 30;
  return std::clamp(device.queues_work ? 0 : 2 * last_level_cache_bytes().value_or(0), kLeast, kMost);
}

/// What probe_speed() reads and multiplies. It is kept from its first use on, so that it is known how much it adds to
/// the process's peak.
struct ProbeMemory {
  torch::Tensor floats;
  std::map<c10::ScalarType, Products> products;
  std::optional<MemoryReading> peak_before;

  void begin(const Device& device) {
    if (!peak_before) peak_before = device.peak_bytes();
  }
  std::int64_t bytes() const {
    std::int64_t sum = floats.defined() ? static_cast<std::int64_t>(floats.nbytes()) : 0;
    for (const auto& [dtype, made] : products) sum += made.bytes();
    return sum;
  }
};
ProbeMemory& probe_memory() {
  static ProbeMemory memory;
  return memory;
}

double seconds_of(const Device& device, const std::function<void()>& work) {
  device.synchronize();
  const double begin = now_s();
  work();
  device.synchronize();
  return now_s() - begin;
}

/// The seconds of the fastest of `repetitions` calls, after one call that isn't timed.
double fastest(const Device& device, int repetitions, const std::function<void()>& work) {
  work();
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repetitions; ++i) best = std::min(best, seconds_of(device, work));
  return best;
}

bool takes_long(const Device& device, const std::function<void()>& work) {
  return fastest(device, 1, work) >= (device.queues_work ? kLongQueuedCall_s : kLongCall_s);
}

Products make_products(const Device& device, c10::ScalarType dtype) {
  const auto options = torch::TensorOptions().device(device.torch_device()).dtype(dtype);
  for (std::int64_t size = kSmallestProduct;; size *= 2) {
    Products made(size, options);
    if (size == kLargestProduct || takes_long(device, [&] { made.multiply(); })) return made;
  }
}

/// Measures the FLOP/s of matrix products.
double probe_matmul(const Device& device, c10::ScalarType dtype) {
  ProbeMemory& memory = probe_memory();
  memory.begin(device);
  auto found = memory.products.find(dtype);
  if (found == memory.products.end()) found = memory.products.emplace(dtype, make_products(device, dtype)).first;
  Products& made = found->second;
  return made.flops() / fastest(device, 8, [&] { made.multiply(); });
}

/// Measures the bytes per second of a sum over memory. The sum is repeated where a single one is short.
double probe_read(const Device& device) {
  ProbeMemory& memory = probe_memory();
  memory.begin(device);
  if (!memory.floats.defined())
    memory.floats = torch::ones({read_bytes(device) / 4},
                                torch::TensorOptions().device(device.torch_device()).dtype(torch::kFloat32));
  constexpr int kMostReads = 64;
  int reads = 1;
  const auto read = [&] {
    for (int i = 0; i < reads; ++i) memory.floats.sum();
  };
  while (device.queues_work && reads < kMostReads && !takes_long(device, read)) reads *= 2;
  return static_cast<double>(memory.floats.nbytes()) * reads / fastest(device, 2, read);
}

}  // namespace

double time_once(const Device& device, const std::function<void()>& work) {
  const double seconds = seconds_of(device, work);
  if (planted_slowdown <= 0) return seconds;
  const double begin = now_s(), end = begin + seconds * planted_slowdown;
  while (now_s() < end) {
  }
  return seconds + now_s() - begin;
}

void plant_slowdown(double share) { planted_slowdown = share; }

Speed probe_speed(const Device& device, c10::ScalarType dtype) {
  const torch::NoGradGuard no_grad;
  // Where bf16 products are slow, the model makes them in fp32. The machine's rate is the rate of the faster dtype.
  if (dtype == torch::kBFloat16 && !device.fast_bf16()) dtype = torch::kFloat32;
  // This comes before probe_read() allocates, as it always did, so that figures stay comparable.
  const double matmul = probe_matmul(device, dtype);
  return {matmul, probe_read(device)};
}

MemoryReading peak_bytes_without_probe(const Device& device) {
  const ProbeMemory& memory = probe_memory();
  const MemoryReading peak = device.peak_bytes();
  if (!memory.peak_before || !peak) return peak;
  if (!*memory.peak_before) return *memory.peak_before;
  return {std::max(memory.peak_before->bytes, peak.bytes - memory.bytes()), ""};
}

Blocks::Blocks(const Device& device, c10::ScalarType dtype, const MeasureOptions& options, Record& record)
    : device_(device), dtype_(dtype), options_(options), record_(record), begin_s_(now_s()) {}

void Blocks::begin() {
  open_ = {};
  if (options_.probe) {
    const Speed speed = probe_speed(device_, dtype_);
    open_.matmul_flops_per_s = speed.matmul_flops_per_s;
    open_.read_bytes_per_s = speed.read_bytes_per_s;
  }
  for (const auto& [name, series] : record_.series)
    if (record_.is_timed(name, series.unit))
      open_.samples[name].first = series.samples.size();  // other series, like a loss, do not depend on the block
  before_ = current_conditions();
  block_begin_s_ = now_s();
  open_.begin_s = block_begin_s_ - begin_s_;
}

double Blocks::elapsed_s() const { return now_s() - block_begin_s_; }

void Blocks::end() {
  last_block_s_ = elapsed_s();
  open_.end_s = now_s() - begin_s_;
  const Conditions after = current_conditions();
  const Disturbance disturbance = disturbance_between(before_, after);
  open_.stolen = disturbance.stolen;
  open_.others = disturbance.others;
  open_.swap_growth_bytes = disturbance.swap_growth_bytes;
  if (std::isnan(disturbance.others))
    record_.notes["disturbance_unread"] = "the system does not tell what other programs took of the processors";
  open_.thermal_level = std::max(before_.thermal_level, after.thermal_level);
  std::size_t samples = 0;
  for (const auto& [name, series] : record_.series) {
    if (!record_.is_timed(name, series.unit)) continue;
    auto& range = open_.samples[name];  // {0, 0} for a series that began in this block
    range.second = series.samples.size();
    samples += range.second - range.first;
  }
  std::erase_if(open_.samples, [](const auto& one) { return one.second.first == one.second.second; });
  if (samples == 0) return;

  constexpr double kStillFaster = 0.98;    // share of the time of the block before
  constexpr double kLongestWarmup = 0.25;  // share of the whole time
  auto& blocks = record_.blocks;
  blocks.push_back(open_);
  if (warm_) return;
  const std::string series = record_.main_series();
  const bool faster = blocks.size() == 1 || record_.block_median(blocks.back(), series) <
                                                kStillFaster * record_.block_median(blocks[blocks.size() - 2], series);
  // In turns, both sides have one block of warm-up, so that their blocks stay beside each other.
  warm_ = options_.turns || !faster || now_s() - begin_s_ > kLongestWarmup * (options_.end_s - begin_s_);
  if (faster) blocks.back().warmup = true;
}

bool Blocks::done() const {
  const auto timed = std::ranges::count(record_.blocks, false, &Block::warmup);
  if (options_.max_blocks > 0 && timed >= options_.max_blocks) return true;
  constexpr std::size_t kFewestBlocks = 4;
  return now_s() + last_block_s_ > options_.end_s ||
         (record_.was_disturbed().empty() && record_.counted_blocks().size() >= kFewestBlocks &&
          options_.enough(record_));
}

void Blocks::finish() {
  auto& blocks = record_.blocks;
  if (!blocks.empty() && std::ranges::all_of(blocks, &Block::warmup)) blocks.back().warmup = false;
}

void measure_in_blocks(const Device& device, c10::ScalarType dtype, const MeasureOptions& options,
                       const TimedWork& work, Record& record) {
  Record cold;
  // This waits even before the cold round: side by side, threads that spin while they wait for each other would take
  // time away from the other process.
  if (options.turns) options.turns->wait();
  const double begin = now_s();
  bool more = true;
  const WorkCount count = count_work([&] { more = work(cold); });
  const double cold_s = now_s() - begin;
  record.facts[facts::kOperatorCalls] = static_cast<double>(count.operator_calls);
  record.facts[facts::kMatmulFlops] = count.matmul_flops;
  record.facts[facts::kAllocatedBytes] = count.allocated_bytes;
  const bool only_one = !more || now_s() + cold_s > options.end_s;
  for (auto& [name, series] : cold.series) {
    const bool warm = only_one || !record.is_timed(name, series.unit);  // only times are cold
    record.series[warm ? name : series::cold(name)] = std::move(series);
  }
  if (only_one) return;
  Blocks blocks(device, dtype, options, record);
  do {
    if (options.turns) {
      options.turns->wait();
      Record untimed;  // the other process had the caches: this fills them again
      more = work(untimed);
    }
    blocks.begin();
    while (more) {
      more = work(record);
      if (blocks.elapsed_s() >= options.block_s) break;
    }
    blocks.end();
  } while (more && !blocks.done());
  blocks.finish();
}

void count_launches(const Device& device, const std::function<void()>& work, Record& record) {
  if (!device.queues_work && model::path() != model::Path::kPortable) return work();
  const c10::Device costly(std::string(operator_backends().front()));
  const DeviceWork done = record_device_work(work, device.type == c10::kCPU ? costly.type() : device.type, device.type);
  record.facts[facts::kDeviceLaunches] = static_cast<double>(done.launches);
  record.facts[facts::kDeviceReads] = static_cast<double>(done.reads);
}

void drop_counts(Record& record) {
  for (const char* name : {facts::kOperatorCalls, facts::kMatmulFlops, facts::kAllocatedBytes})
    record.facts.erase(name);
}

}  // namespace bench::harness
