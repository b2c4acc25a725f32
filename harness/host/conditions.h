#pragma once

#include "harness/core/fields.h"

#include <limits>
#include <string>

namespace bench::harness {

/// What the machine does besides our work, at one moment. Counters count from the machine's start. A value that the
/// system doesn't tell is -1, or empty.
struct Conditions {
  double load_1min = -1;
  double cpu_total_s = -1;   // of all processors together: busy, idle and stolen
  double cpu_busy_s = -1;    // part of cpu_total_s: spent on programs, ours included
  double cpu_stolen_s = -1;  // part of cpu_total_s: wanted, but given to other virtual machines
  double own_cpu_s = -1;     // of this process and of the programs that it started and waited for
  double frequency_mhz = -1;
  double memory_available_bytes = -1, swap_used_bytes = -1;
  double memory_pressure = -1;  // Linux: % of the last 10 s in which something waited for memory; macOS: level 1, 2, 4
  double thermal_level = -1;    // macOS: 0 nominal to 4
  std::string power_source;     // ac or battery

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("load_1min", self.load_1min, "load average of the last minute");
    visit("cpu_total_s", self.cpu_total_s, "processor time so far, all processors together");
    visit("cpu_busy_s", self.cpu_busy_s, "of that, spent on programs");
    visit("cpu_stolen_s", self.cpu_stolen_s, "of that, taken by other virtual machines");
    visit("own_cpu_s", self.own_cpu_s, "of that, spent on this process");
    visit("frequency_mhz", self.frequency_mhz, "mean over the processors");
    visit("memory_available_bytes", self.memory_available_bytes, "without swapping");
    visit("swap_used_bytes", self.swap_used_bytes, "of the machine");
    visit("memory_pressure", self.memory_pressure, "Linux: % of time waiting for memory; macOS: level");
    visit("thermal_level", self.thermal_level, "macOS: 0 nominal to 4");
    visit("power_source", self.power_source, "ac or battery");
  }
};

/// Asks the machine for its current conditions. Takes well under a millisecond.
Conditions current_conditions();

/// What other programs and other virtual machines took between two moments, as shares of the time of all processors,
/// and how much swap grew. NaN where the system doesn't tell.
struct Disturbance {
  double stolen = std::numeric_limits<double>::quiet_NaN(), others = std::numeric_limits<double>::quiet_NaN(),
         swap_growth_bytes = std::numeric_limits<double>::quiet_NaN();
};
Disturbance disturbance_between(const Conditions& before, const Conditions& after);

/// Fills in the values that each operating system tells in its own way; environment_linux.cpp and
/// environment_macos.cpp.
void read_host_conditions(Conditions& conditions);

}  // namespace bench::harness
