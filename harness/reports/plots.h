#pragma once

#include "harness/judging/report.h"

#include <string>

namespace bench::harness {

// These functions return figures as HTML, or "" where there is nothing to plot.

/// Plots every series of times that has enough samples: each sample, by process, with the median of each process.
std::string plot_samples(const CaseResult& one);
std::string plot_loss(const CaseResult& one);
/// Peak memory by sequence length, measured and predicted.
std::string plot_memory(const CaseResult& one);
/// How fast the machine was beside each block of timing.
std::string plot_probe(const CaseResult& one);
/// Plots the cases that gates compare with each other: a bar for each, with its interval, and what the machine would
/// allow.
std::string plot_groups(const Report& report);
/// Plots all cases whose arithmetic and memory traffic are known, under the roofs that the speed probes measured, and
/// adds their table.
std::string plot_roofline(const Report& report);

}  // namespace bench::harness
