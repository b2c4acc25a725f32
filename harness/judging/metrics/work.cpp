#include "harness/judging/metrics/formulas.h"

namespace bench::harness {
namespace {

using enum Better;
using enum Nature;

/// The speed relative to the roof. The share has an interval only if both have one. Otherwise the interval would leave
/// out the spread of one of them.
Value share_of_ceiling(const Record& r) {
  const double flops = r.fact(facts::kWorkFlops), bytes = r.fact(facts::kWorkBytes);
  const auto roof = roof_of(r);
  const Value done = work_rate(r, roof && roof->memory ? bytes : flops);
  if (!done || !roof) return {};
  Value share = scaled(ratio(*done, roof->speed), 100);
  return roof->speed.n < 2 || !done->has_interval() ? Estimate::point(share->value, share->n) : share;
}

/// The cases that count what they launch on a device.
constexpr const char* kLaunchingCases = "train decode";

/// The cases beside which the machine is probed.
constexpr const char* kProbedCases = "train prefill decode operator command";

constexpr Metric kMetrics[] = {
    {.name = "operator_time",
     .unit = "us",
     .better = kLower,
     .nature = kTimed,
     .cases = "operator",
     .meaning = "time of one call, median of the repetitions",
     .formula = [](const Record& r) { return scaled(median_of(r, series::kOperatorTimeS), 1e6); },
     .compared = true,
     .is_speed = true,
     .share = "share_of_ceiling",
     .drawn_in = series::kOperatorTimeS,
     .sample_at = [](const Record&, double value) { return value * 1e-6; }},
    {.name = "wall_time",
     .unit = "s",
     .better = kLower,
     .nature = kTimed,
     .cases = "command",
     .meaning = "from a program's start to its end, median",
     .formula = [](const Record& r) { return median_of(r, series::kWallTimeS); },
     .compared = true,
     .is_speed = true,
     .drawn_in = series::kWallTimeS,
     .sample_at = as_it_is},
    {.name = "cpu_time",
     .unit = "s",
     .better = kLower,
     .nature = kTimed,
     .cases = "command",
     .meaning = "processor time of a program and of all that it started and waited for, median",
     .formula = [](const Record& r) { return median_of(r, series::kCpuTimeS); }},
    {.name = "work_gflops",
     .unit = "GFLOP/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = kTimedCases,
     .meaning = "arithmetic that the work must cost, per second",
     .formula = [](const Record& r) { return work_rate(r, r.fact(facts::kWorkFlops) * 1e-9); }},
    {.name = "work_gb_per_s",
     .unit = "GB/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = kTimedCases,
     .meaning = "bytes that the work must read and write at least, per second",
     .formula = [](const Record& r) { return work_rate(r, r.fact(facts::kWorkBytes) * 1e-9); }},
    {.name = "work_intensity",
     .unit = "FLOP/byte",
     .better = kHigher,
     .nature = kExact,
     .cases = kTimedCases,
     .meaning = "arithmetic per byte that the work must cost: its place on the roofline",
     .formula =
         [](const Record& r) {
           return of_facts(r, {facts::kWorkFlops, facts::kWorkBytes},
                           r.fact(facts::kWorkFlops) / r.fact(facts::kWorkBytes));
         }},
    {.name = "share_of_ceiling",
     .unit = "%",
     .better = kHigher,
     .nature = kTimed,
     .cases = kTimedCases,
     .meaning =
         "work_gflops relative to the roofline probed beside it: matrix products or memory reads, whichever binds",
     .formula = share_of_ceiling},
    {.name = "device_launches",
     .unit = "launches",
     .better = kLower,
     .nature = kExact,
     .cases = kLaunchingCases,
     .meaning = "operators that a device starts for a decoded token or a micro-batch; on the CPU with device: portable",
     .formula = [](const Record& r) { return fact(r, facts::kDeviceLaunches); },
     .compared = true},
    {.name = "device_reads",
     .unit = "reads",
     .better = kLower,
     .nature = kExact,
     .cases = kLaunchingCases,
     .meaning =
         "how often the host waits for numbers of the device in that work; copies to the host show on a GPU only",
     .formula = [](const Record& r) { return fact(r, facts::kDeviceReads); },
     .compared = true},
    {.name = "probe_matmul",
     .unit = "GFLOP/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = kProbedCases,
     .meaning = "matrix products of the speed probe beside the blocks, median",
     .formula = [](const Record& r) { return scaled(probe(r, &Block::matmul_flops_per_s), 1e-9); }},
    {.name = "probe_read",
     .unit = "GB/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = kProbedCases,
     .meaning = "memory reads of the speed probe beside the blocks, median",
     .formula = [](const Record& r) { return scaled(probe(r, &Block::read_bytes_per_s), 1e-9); }},
};

}  // namespace

std::span<const Metric> work_metrics() { return kMetrics; }

}  // namespace bench::harness
