#pragma once

#include "harness/core/fields.h"

#include <string>
#include <vector>

namespace bench::harness {

/// A figure that describes a machine, and where it comes from. 0: not known.
struct Figure {
  double value = 0;
  std::string source;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("value", self.value, "in the unit that the key says; 0: not known");
    visit("source", self.source, "who measured or published it");
  }
  void validate(const Require& require) const;
};

/// Rates of dense matrix products in one dtype, in 1e12 FLOP/s.
struct MatmulRates {
  Figure best, large, on_paper;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("best", self.best, "measured, at the size that suits it best");
    visit("large", self.large, "measured, at the largest size");
    visit("on_paper", self.on_paper, "what the maker says, without sparsity");
  }

  bool measured() const { return best.value > 0; }
  /// The best measured rate, or the rate on paper if none was measured; in FLOP/s.
  double flops_per_s() const { return 1e12 * (measured() ? best.value : on_paper.value); }
};

/// What starting one piece of work on a device takes, in microseconds: at best, usually, and where starting is slow.
struct LaunchTimes {
  Figure low, likely, high;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("low", self.low, "at best");
    visit("likely", self.likely, "what programs see");
    visit("high", self.high, "where starting is slow");
  }
  void validate(const Require& require) const;

  bool known() const { return likely.value > 0; }
};

/// configs/machines/NAME.yaml: what a machine can do. With it a plan can be checked against a machine that is not at
/// hand.
struct Machine {
  std::string name, description, match, device;
  Figure memory_bytes, usable_memory_share;
  MatmulRates fp32_tflops, fp16_tflops, bf16_tflops;
  Figure memory_gb_per_s, memory_share;
  LaunchTimes launch_us;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, "of the file, without .yaml");
    visit("description", self.description, "for people");
    visit("match", self.match, "what the processor's, or the GPU's, own name has in it");
    visit("device", self.device, "one of `bench list devices`: decides about dtypes and what training keeps in memory");
    visit("memory_bytes", self.memory_bytes, "that the device can use; shared with the system on a Mac");
    visit("usable_memory_share", self.usable_memory_share, "of the memory, that this program lets itself use");
    visit("fp32_tflops", self.fp32_tflops, "matrix products, 1e12 FLOP/s");
    visit("fp16_tflops", self.fp16_tflops, "the same in fp16");
    visit("bf16_tflops", self.bf16_tflops, "the same in bf16");
    visit("memory_gb_per_s", self.memory_gb_per_s, "bandwidth on paper, 1e9 bytes/s");
    visit("memory_share", self.memory_share, "of the bandwidth on paper, that programs get");
    visit("launch_us", self.launch_us, "of one launch on the device, 1e-6 s; all three figures or none");
  }
  void validate(const Require& require) const;

  /// fp32, fp16 or bf16.
  const MatmulRates& rates(const std::string& dtype) const;
};

/// The machine called `name`, from configs/machines on disk or built in. Throws Error at `where`, with a list of the
/// known machines.
Machine read_machine(const std::string& name, const std::string& where);

/// The names of the machines that read_machine() knows, sorted.
std::vector<std::string> machine_names();

/// All machines that read_machine() knows.
std::vector<Machine> known_machines();
/// Whether a gate for the processor `text` is judged on a machine that has one of these names: one of them must contain
/// the text. A text like "NAME, 16 cores" is also looked for without its number of cores.
bool is_processor_name(const std::string& text, const std::vector<std::string>& names);

}  // namespace bench::harness
