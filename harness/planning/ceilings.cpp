#include "harness/planning/ceilings.h"

#include "harness/devices/current_environment.h"
#include "harness/measuring/measure.h"

#include <algorithm>

namespace bench::harness {
namespace {

LaunchCosts launch_costs(const LaunchTimes& times) {
  const auto cost = [](const Figure& figure) { return LaunchCost{figure.value * 1e-6, figure.source}; };
  return {cost(times.low), cost(times.likely), cost(times.high)};
}

/// What a device's row tells, whatever the machine.
void take_traits(const Device& device, Ceilings& ceilings) {
  ceilings.kernels = device.has_kernels;
  ceilings.tiled_attention = !device.fused_attention_gradient;
  ceilings.heap_bytes = device.heap_bytes;
  ceilings.device_kernels = device.has_device_kernels;
}

}  // namespace

Ceilings ceilings_of(const Machine& machine) {
  const auto ceiling = [](const MatmulRates& rates) {
    return Ceiling{rates.flops_per_s(), rates.measured() ? rates.best.source : rates.on_paper.source};
  };
  const std::string file = fmt::format("configs/machines/{}.yaml", machine.name);
  const Device* device = device_named(machine.device);
  if (!device) {
    std::vector<std::string> names;
    for (const auto& one : devices()) names.push_back(one.name);
    throw Error(file + ": device", fmt::format("unknown device '{}'", machine.device),
                unknown_name_hint(machine.device, names));
  }
  Ceilings ceilings;
  ceilings.machine = fmt::format("{}: {}", machine.name, machine.description);
  ceilings.mixed_dtype = device->mixed_dtype;
  ceilings.fp32 = ceiling(machine.fp32_tflops);
  ceilings.mixed = ceiling(machine.rates(ceilings.mixed_dtype));
  if (!(ceilings.mixed.rate > 0))
    throw Error(fmt::format("{}: {}_tflops", file, ceilings.mixed_dtype), "has neither `best` nor `on_paper`",
                "mixed_precision computes in it on that device");
  ceilings.read = {machine.memory_gb_per_s.value * 1e9, machine.memory_gb_per_s.source};
  ceilings.paper_fp32_flops_per_s = machine.fp32_tflops.on_paper.value * 1e12;
  ceilings.paper_mixed_flops_per_s = machine.rates(ceilings.mixed_dtype).on_paper.value > 0
                                         ? machine.rates(ceilings.mixed_dtype).on_paper.value * 1e12
                                         : (device->bf16_like_fp32 ? ceilings.paper_fp32_flops_per_s : 0);
  ceilings.read_share = machine.memory_share.value;
  ceilings.memory_bytes =
      machine.memory_bytes.value * (machine.usable_memory_share.value > 0 ? machine.usable_memory_share.value : 1);
  if (machine.launch_us.known()) ceilings.launch = launch_costs(machine.launch_us);
  take_traits(*device, ceilings);
  return ceilings;
}

Ceilings probe_ceilings(const Device& device) {
  device.prepare();
  Ceilings ceilings;
  ceilings.machine = fmt::format("this machine ({}, {})", current_environment().processor, device.name);
  ceilings.mixed_dtype = device.fast_bf16() ? "bf16" : "fp32";
  const Speed fp32 = probe_speed(device, c10::kFloat);
  const Speed mixed = device.fast_bf16() ? probe_speed(device, c10::kBFloat16) : fp32;
  ceilings.fp32 = {fp32.matmul_flops_per_s, "probed just now"};
  ceilings.mixed = {mixed.matmul_flops_per_s, "probed just now"};
  ceilings.read = {std::max(fp32.read_bytes_per_s, mixed.read_bytes_per_s), "probed just now"};
  if (const MemoryReading available = device.available_bytes())
    ceilings.memory_bytes = static_cast<double>(available.bytes);
  take_traits(device, ceilings);
  return ceilings;
}

}  // namespace bench::harness
