#include "harness/planning/ceilings.h"

#include "harness/devices/current_environment.h"
#include "harness/devices/device_names.h"
#include "harness/measuring/measure.h"

#include <algorithm>

namespace bench::harness {

Ceilings ceilings_of(const Machine& machine) {
  const auto ceiling = [](const MatmulRates& rates) {
    return Ceiling{rates.flops_per_s(), rates.measured() ? rates.best.source : rates.on_paper.source};
  };
  const Device* device = device_named(machine.device);
  if (!device)
    throw Error(machine.name, fmt::format("unknown device '{}'", machine.device),
                unknown_name_hint(machine.device, device_names()));
  Ceilings ceilings;
  ceilings.machine = fmt::format("{}: {}", machine.name, machine.description);
  ceilings.mixed_dtype = device->mixed_dtype;
  ceilings.fp32 = ceiling(machine.fp32_tflops);
  ceilings.mixed = ceiling(machine.rates(ceilings.mixed_dtype));
  if (!(ceilings.mixed.rate > 0))
    throw Error(machine.name, fmt::format("{}_tflops has neither `best` nor `on_paper`", ceilings.mixed_dtype), "");
  ceilings.read = {machine.memory_gb_per_s.value * 1e9, machine.memory_gb_per_s.source};
  ceilings.paper_fp32_flops_per_s = machine.fp32_tflops.on_paper.value * 1e12;
  // A GPU without matrix units is no faster in bf16 than in fp32, on paper.
  ceilings.paper_mixed_flops_per_s = machine.rates(ceilings.mixed_dtype).on_paper.value > 0
                                         ? machine.rates(ceilings.mixed_dtype).on_paper.value * 1e12
                                         : ceilings.paper_fp32_flops_per_s;
  ceilings.read_share = machine.memory_share.value;
  ceilings.memory_bytes =
      machine.memory_bytes.value * (machine.usable_memory_share.value > 0 ? machine.usable_memory_share.value : 1);
  ceilings.kernels = device->has_kernels;
  ceilings.tiled_attention = !device->fused_attention_gradient;
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
  ceilings.kernels = device.has_kernels;
  ceilings.tiled_attention = !device.fused_attention_gradient;
  return ceilings;
}

}  // namespace bench::harness
