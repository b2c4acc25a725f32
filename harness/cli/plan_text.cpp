#include "harness/cli/plan_text.h"

#include "harness/core/units.h"
#include "harness/reports/text.h"

#include <algorithm>
#include <cmath>

namespace bench::harness {
namespace {

constexpr double kHours = 22;  // what the plan gives the medium model's training

/// "2-3" or "2".
std::string range(double low, double high, const char* format = "{:.4g}") {
  const std::string a = fmt::format(fmt::runtime(format), low), b = fmt::format(fmt::runtime(format), high);
  return a == b ? a : a + "-" + b;
}

/// "47x", or "47x to 71x" for the two ends of a target.
std::string factors(double low, double high) {
  const auto one = [](double f) {
    return fmt::format("{}x", f < 10 ? fmt::format("{:.1f}", f) : fmt::format("{:.0f}", f));
  };
  return one(low) == one(high) ? one(low) : one(low) + " to " + one(high);
}

/// "7.76 GB of it are in use; LibTorch's heaps of 1.07 GB make it 8.59 to 9.66 GB".
std::string pools_text(const MemoryEstimate& memory, const Ceilings& ceilings) {
  return fmt::format("{:.2f} GB of it are in use; LibTorch's heaps of {:.2f} GB make it {:.2f} to {:.2f} GB",
                     memory.live() * 1e-9, static_cast<double>(ceilings.heap_bytes) * 1e-9, memory.least_total() * 1e-9,
                     memory.total() * 1e-9);
}

/// "; likely 8.59-9.66", or "" where nothing tells.
std::string likely_text(const TargetPlan& target) {
  if (!target.likely) return "";
  const auto [low, high] = std::minmax(target.likely->worst, target.likely->best);
  return fmt::format("; likely {}", range(low, high, "{:.3g}"));
}

/// "26.2e9", "388e6" or "409,600".
std::string amount(double value) {
  if (value >= 1e9) return fmt::format("{:.3g}e9", value * 1e-9);
  return value >= 1e6 ? fmt::format("{:.3g}e6", value * 1e-6) : grouped(static_cast<std::uint64_t>(value));
}

/// "26.2e9 tokens, 66 per parameter".
std::string tokens_text(double tokens, const CasePlan& plan) {
  const double ratio = tokens / plan.parameters;
  return fmt::format("{} tokens, {} per parameter", amount(tokens),
                     ratio >= 10 ? fmt::format("{:.0f}", ratio) : fmt::format("{:.2g}", ratio));
}

std::string why_step_is_out_of_reach(const TargetPlan& target, const CasePlan& plan, const Ceilings& ceilings) {
  const TrainingPlan& t = *plan.training;
  const double paper = ceilings.paper_flops_per_s(plan.dtype);
  return fmt::format(
      "A step is {} tokens and {:.3g} FLOP: 6 x {:.1f}e6 parameters x tokens, attention not counted ({:.3g} with it). "
      "{} steps/s need {} TFLOP/s; matrix products reach {:.4g} here in {}{} ({}).",
      grouped(static_cast<std::uint64_t>(plan.tokens)), t.flops_without_attention, plan.parameters * 1e-6, plan.flops,
      range(target.low, target.high),
      range(target.low * t.flops_without_attention * 1e-12, target.high * t.flops_without_attention * 1e-12, "{:.0f}"),
      ceilings.matmul(plan.dtype).rate * 1e-12, plan.dtype,
      paper > 0 ? fmt::format(", {:.4g} on paper", paper * 1e-12) : "", ceilings.matmul(plan.dtype).source);
}

std::string if_step_were_a_micro_batch(const TargetPlan& target, const TrainingPlan& t) {
  const auto steps = static_cast<double>(t.accumulation_steps);
  return fmt::format("Even if a step were one micro-batch of {} x {} tokens, it would be {} by {}.", t.batch_size,
                     t.seq_length, target.low_factor / steps > 1 ? "out of reach" : "short",
                     factors(target.low_factor / steps, target.high_factor / steps));
}

void print_out_of_reach(const TargetPlan& target, const CasePlan& plan, const Ceilings& ceilings, std::ostream& out) {
  write_wrapped(fmt::format("{}: {} {} is out of reach by {}", target.case_name, target.gate.metric, target.gate.text(),
                            factors(target.low_factor, target.high_factor)),
                2, out);
  if (plan.training && target.gate.metric == "train_steps_per_s") {
    write_wrapped(why_step_is_out_of_reach(target, plan, ceilings), 4, out);
    if (plan.training->accumulation_steps > 1)
      write_wrapped(if_step_were_a_micro_batch(target, *plan.training), 4, out);
  } else if (plan.training && target.gate.metric == "train_hours") {
    write_wrapped(
        fmt::format("{} steps take at least {:.4g} h here: 6 x parameters x tokens, attention not counted, at "
                    "the rate of matrix products.",
                    grouped(static_cast<std::uint64_t>(plan.training->max_steps)), target.bound),
        4, out);
  } else if (target.gate.metric == "peak_memory") {
    write_wrapped("predicted: " + plan.memory.text() + " " + plan.memory.moment, 4, out);
    if (plan.memory.pools > 0) write_wrapped(pools_text(plan.memory, ceilings) + ".", 4, out);
  } else {
    write_wrapped(fmt::format("at best {:.4g} {}, bound by {} ({:.3g} FLOP and {:.3g} GB for each unit of work)",
                              target.bound, target.gate.unit, plan.bound_by_memory ? "memory reads" : "matrix products",
                              plan.flops, plan.bytes * 1e-9),
                  4, out);
  }
}

void print_training_in_reach(const CasePlan& plan, std::ostream& out) {
  const TrainingPlan& t = *plan.training;
  const double all_tokens = t.max_steps * t.tokens_per_step, bought = tokens_in_hours(plan, kHours);
  write_wrapped(
      fmt::format("{}: at most {:.3g} steps/s, {} tokens/s: if all work, attention counted, ran at the rate of "
                  "matrix products; real training is slower.",
                  plan.name, 1 / plan.seconds, grouped(static_cast<std::uint64_t>(plan.tokens / plan.seconds))),
      2, out);
  write_wrapped(fmt::format("{} steps are {}, and take at least {}. {:.0f} h buy {} steps: {}.",
                            grouped(static_cast<std::uint64_t>(t.max_steps)), tokens_text(all_tokens, plan),
                            duration_text(seconds_of_training(plan)), kHours,
                            grouped(static_cast<std::uint64_t>(bought / t.tokens_per_step)), tokens_text(bought, plan)),
                4, out);
}

void print_decode_bound(const CasePlan& plan, const Ceilings& ceilings, std::ostream& out) {
  const double weights = plan.batch * ceilings.read.rate / plan.weight_bytes;
  const double int8 = weights * (plan.dtype == "fp32" ? 4 : 2);
  std::string text = fmt::format(
      "{}: reading {:.2f} GB of {} weights for each token of {:.0f} sequence(s) bounds it at {:.0f} tokens/s at {:.0f} "
      "GB/s ({:.0f} in int8); with {:.0f} MB of keys and values at {:.0f}",
      plan.name, plan.weight_bytes * 1e-9, plan.dtype, plan.batch, weights, ceilings.read.rate * 1e-9, int8,
      plan.kv_bytes * 1e-6, plan.tokens / plan.seconds);
  if (ceilings.read_share > 0)
    text += fmt::format(", at {:.0f} for the {:.0f} % of the bandwidth that programs get",
                        ceilings.read_share * plan.tokens / plan.seconds, 100 * ceilings.read_share);
  write_wrapped(text + ".", 2, out);
}

/// What decoding is likely to reach, and why it isn't the bound.
void print_likely_decode(const CasePlan& plan, const Ceilings& ceilings, std::ostream& out) {
  const LikelyTime& likely = *plan.likely;
  const LaunchCosts& cost = *ceilings.launch;
  const auto us = [](const LaunchCost& one) { return one.seconds * 1e6; };
  const std::string without_kernels =
      likely.launches < likely.launches_with_operators
          ? fmt::format(" ({:.0f} if our kernels are left aside)", likely.launches_with_operators)
          : "";
  write_wrapped(
      fmt::format("likely {:.0f}-{:.0f} tokens/s, {:.0f} at {:.3g} us a launch, bound by {}: {:.0f} launches{} x {} us "
                  "+ {:.2f} ms of {}.",
                  plan.tokens / likely.slow_s, plan.tokens / likely.fast_s, plan.tokens / likely.likely_s,
                  us(cost.likely),
                  likely.bound_by_launches ? "launches"
                  : plan.bound_by_memory   ? "memory"
                                           : "matrix products",
                  likely.launches, without_kernels, range(us(cost.low), us(cost.high), "{:.3g}"), likely.work_s * 1e3,
                  plan.bound_by_memory ? "memory" : "products"),
      4, out);
}

void print_memory_target(const TargetPlan& target, const CasePlan& plan, const Ceilings& ceilings, std::ostream& out) {
  write_wrapped(fmt::format("{}: {} {}: predicted {}, {}", target.case_name, target.gate.metric, target.gate.text(),
                            plan.memory.text(), plan.memory.moment),
                2, out);
  if (plan.memory.pools > 0) write_wrapped(pools_text(plan.memory, ceilings) + ".", 4, out);
  if (!plan.training) return;
  const TrainingPlan& t = *plan.training;
  if (t.batch_size == t.micro_batch_size && t.config_checkpointing == t.gradient_checkpointing) return;
  write_wrapped(
      fmt::format("As the training config has it, {} sequences at once with gradient checkpointing {}, it would "
                  "take {:.1f} GB.",
                  t.batch_size, t.config_checkpointing ? "on" : "off", t.config_memory.total() * 1e-9),
      4, out);
}

void print_without_bound(const TargetPlan& target, const Plan& plan, std::ostream& out) {
  std::string text =
      fmt::format("{}: {} {}: no arithmetic bounds it", target.case_name, target.gate.metric, target.gate.text());
  if (const CasePlan* trainer = plan.find(target.trained_by);
      trainer && trainer->training && target.gate.metric == "perplexity") {
    const double tokens = trainer->training->max_steps * trainer->training->tokens_per_step;
    text += fmt::format("; {} trains it on {}, which takes at least {} here", trainer->name,
                        tokens_text(tokens, *trainer), duration_text(seconds_of_training(*trainer)));
  }
  write_wrapped(text + ".", 2, out);
}

void print_tables(const Plan& plan, std::ostream& out) {
  out << fmt::format("\n{:<22} {:>8} {:>8} {:>5} {:>9} {:>9} {:>9} {:>11} {:<10}\n", "one unit of work", "e6 par.",
                     "w/o emb.", "dtype", "tokens", "TFLOP", "GB moved", "least s", "bound by");
  for (const auto& one : plan.cases)
    if (one.seconds > 0)
      out << fmt::format("{:<22} {:>8.1f} {:>8.1f} {:>5} {:>9} {:>9.4g} {:>9.4g} {:>11.4g} {:<10}\n",
                         shortened(one.name, 22), one.parameters * 1e-6, one.parameters_without_embedding * 1e-6,
                         one.dtype, grouped(static_cast<std::uint64_t>(one.tokens)), one.flops * 1e-12,
                         one.bytes * 1e-9, one.seconds, one.bound_by_memory ? "reads" : "products");
  out << fmt::format("\n{:<22} {:>7}", "predicted memory, GB", "total");
  for (const char* name : {"weights", "gradients", "optimizer", "kv_cache", "activat.", "logits", "temp.", "pools"})
    out << fmt::format(" {:>9}", name);
  out << "\n";
  for (const auto& one : plan.cases) {
    const MemoryEstimate& m = one.memory;
    out << fmt::format("{:<22} {:>7.2f}", shortened(one.name, 22), m.total() * 1e-9);
    for (const double bytes :
         {m.weights, m.gradients, m.optimizer, m.kv_cache, m.activations, m.logits, m.temporaries, m.pools})
      out << fmt::format(" {:>9.2f}", bytes * 1e-9);
    out << (m.total() > plan.ceilings.memory_bytes ? " !" : "") << "\n";
  }
  write_wrapped(
      "GB of 1e9 bytes, without the program itself and the allocator's holes; " +
          (std::isnan(plan.ceilings.memory_bytes)
               ? "how much is free here could not be read."
               : fmt::format("a process may use {:.1f} GB here (! exceeds them).", plan.ceilings.memory_bytes * 1e-9)),
      0, out);
}

void print_launch_costs(const LaunchCosts& launch, std::ostream& out) {
  const auto text = [](const LaunchCost& cost) {
    return fmt::format("{:.3g} us ({})", cost.seconds * 1e6, cost.source);
  };
  write_wrapped(
      fmt::format("A launch takes at best {}, likely {}, at worst {}. Launches and memory are added up, as if "
                  "they never overlapped.",
                  text(launch.low), text(launch.likely), text(launch.high)),
      0, out);
}

template <class Print>
void section(const char* title, const Plan& plan, Reach reach, std::ostream& out, Print&& print) {
  bool begun = false;
  for (const auto& target : plan.targets) {
    if (target.reach != reach) continue;
    if (!begun) out << "\n" << title << "\n";
    begun = true;
    print(target);
  }
}

}  // namespace

void write_plan_text(const Plan& plan, std::ostream& out) {
  const Ceilings& c = plan.ceilings;
  write_wrapped(fmt::format("{} on {}", plan.suite, c.machine), 0, out);
  const auto count = [&](Reach reach) { return std::ranges::count(plan.targets, reach, &TargetPlan::reach); };
  out << fmt::format("{} targets: {} out of reach, {} not excluded by arithmetic, {} without a bound\n",
                     plan.targets.size(), count(Reach::kOut), count(Reach::kNotExcluded), count(Reach::kNoBound));
  section("OUT OF REACH", plan, Reach::kOut, out,
          [&](const TargetPlan& target) { print_out_of_reach(target, *plan.find(target.case_name), c, out); });
  out << "\nIN REACH, AT MOST\n";
  for (const auto& one : plan.cases) {
    if (one.training) print_training_in_reach(one, out);
    if (one.type == "decode") print_decode_bound(one, c, out);
    if (one.likely) print_likely_decode(one, c, out);
    if (one.type == "prefill")
      write_wrapped(fmt::format("{}: {:.0f} tokens/s, a prompt of {:.0f} tokens in {:.3g} s, bound by {}.", one.name,
                                one.tokens / one.seconds, one.tokens / one.batch, one.seconds,
                                one.bound_by_memory ? "memory reads" : "matrix products"),
                    2, out);
  }
  section("TARGETS THAT ARITHMETIC DOES NOT EXCLUDE", plan, Reach::kNotExcluded, out, [&](const TargetPlan& target) {
    if (target.gate.metric == "peak_memory") return print_memory_target(target, *plan.find(target.case_name), c, out);
    std::string text = fmt::format("{}: {} {} is {:.3g} % of the bound of {:.4g}", target.case_name, target.gate.metric,
                                   target.gate.text(), 100 * target.low_factor, target.bound);
    if (target.high_factor > 1)
      text += fmt::format("; the upper end of its range, {:.4g}, is out of reach by {}", target.high,
                          factors(target.high_factor, target.high_factor));
    write_wrapped(text + likely_text(target) + ".", 2, out);
  });
  section("TARGETS THAT NO ARITHMETIC BOUNDS", plan, Reach::kNoBound, out,
          [&](const TargetPlan& target) { print_without_bound(target, plan, out); });
  print_tables(plan, out);
  write_wrapped(fmt::format("Ceilings: {} {:.4g} TFLOP/s ({}); memory {:.0f} GB/s ({}).", c.mixed_dtype,
                            c.mixed.rate * 1e-12, c.mixed.source, c.read.rate * 1e-9, c.read.source),
                0, out);
  if (c.launch) print_launch_costs(*c.launch, out);
}

}  // namespace bench::harness
