#include "harness/cli/memory_text.h"
#include "harness/cli/verbs.h"
#include "harness/core/units.h"
#include "harness/devices/device.h"
#include "harness/reports/reports.h"
#include "harness/running/runner.h"
#include "harness/training/memory_estimate.h"
#include "harness/training/training_config.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string model, mode = "decode", training, budget, device = "auto", out;
  std::vector<std::int64_t> lengths, batches{1};
  double seconds = 600;
  bool checkpointing = false, as_json = false;
};

// The components that a process's stages can tell apart.
constexpr MemoryComponent kComponents[] = {{"program", "·"},   {"weights", "█"},  {"optimizer", "▓"},
                                           {"gradients", "▒"}, {"kv_cache", "▒"}, {"step", "░"}};

/// What to measure, as far as it is the same for all batches.
struct Setup {
  FileOr<model::ModelConfig> model;
  bool train = false, checkpointing = false, fused = true;
  std::string dtype = "auto";
  std::vector<std::int64_t> lengths;
  double budget_bytes = 0;
};

void check_positive(const std::vector<std::int64_t>& values, std::int64_t most, const char* option, const char* why) {
  for (const std::int64_t value : values)
    if (value <= 0 || value > most) throw Error(option, fmt::format("{} is not in 1 .. {}", value, most), why);
}

Setup read_setup(const Options& options) {
  Setup setup;
  setup.model = {read_config<model::ModelConfig>(YamlNode::load(options.model)), options.model, true};
  if (options.mode != "train" && options.mode != "decode")
    throw Error("--mode", fmt::format("unknown mode '{}'", options.mode),
                unknown_name_hint(options.mode, {"train", "decode"}));
  setup.train = options.mode == "train";
  if (!setup.train && (options.checkpointing || !options.training.empty()))
    throw Error(options.checkpointing ? "--checkpointing" : "--training", "is for --mode train",
                "decoding keeps nothing for a backward pass");
  if (!options.training.empty()) {
    const auto training = read_config<TrainingConfig>(YamlNode::load(options.training)).train;
    setup.checkpointing = training.gradient_checkpointing;
    setup.fused = training.compile_model;
    setup.dtype = training.mixed_precision ? "auto" : "fp32";
  }
  setup.checkpointing |= options.checkpointing;
  const std::int64_t longest = setup.model.value.max_seq_length;
  setup.lengths = options.lengths;
  if (setup.lengths.empty())
    for (const std::int64_t length : {256, 512, 1024, 2048})
      if (length <= longest) setup.lengths.push_back(length);
  if (setup.lengths.empty()) setup.lengths.push_back(longest);
  std::sort(setup.lengths.begin(), setup.lengths.end());
  setup.lengths.erase(std::unique(setup.lengths.begin(), setup.lengths.end()), setup.lengths.end());
  check_positive(setup.lengths, longest, "--seq", "up to the model's max_seq_length");
  check_positive(options.batches, 1 << 20, "--batch", "sequences together");
  if (!options.budget.empty()) setup.budget_bytes = parse_bytes(options.budget, "--budget");
  return setup;
}

/// A memory case for each batch; each of its lengths gets a process of its own.
Suite suite_for(const Options& options, const Setup& setup) {
  Suite suite;
  suite.name = "memory";
  suite.description = fmt::format("bench memory: {} in {}", options.model, options.mode);
  suite.device = options.device;
  for (const std::int64_t batch : options.batches) {
    CaseSpec spec;
    spec.name = fmt::format("{}-{}-batch{}", std::filesystem::path(options.model).stem().string(), options.mode, batch);
    spec.type = "memory";
    spec.budget_s = options.seconds;
    const Json given = {
        {"model", to_json(setup.model)}, {"mode", options.mode}, {"dtype", setup.dtype},
        {"seq_lengths", setup.lengths},  {"batch", batch},       {"gradient_checkpointing", setup.checkpointing},
        {"compile_model", setup.fused}};
    FieldReader reader(YamlNode::parse(dumped(given), "bench memory"));
    spec.config = find_case_type(spec.type)->read(reader);
    suite.cases.push_back(std::move(spec));
  }
  return suite;
}

void collect(const Record& record, std::vector<MeasuredPeak>& all) {
  const auto& lengths = record.samples(series::kSeqLength);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto at = [&](const std::string& series) {
      const auto& samples = record.samples(series);
      return i < samples.size() ? samples[i] : 0;
    };
    MeasuredPeak peak{static_cast<std::int64_t>(record.fact(facts::kBatch)),
                      static_cast<std::int64_t>(lengths[i]),
                      at(series::kPeakMemoryBytes),
                      at(series::kPredictedMemoryBytes),
                      at("predicted_program_bytes"),
                      {}};
    for (const MemoryComponent& component : kComponents)
      if (const double bytes = at(fmt::format("{}_bytes", component.name)); bytes != 0)
        peak.parts.emplace_back(component, bytes);
    all.push_back(std::move(peak));
  }
}

/// Predicted peaks of this setup, with what the measurements add.
class Predictor {
 public:
  Predictor(const Setup& setup, const Device& device, const std::string& dtype,
            const std::vector<MeasuredPeak>& measured)
      : setup_(setup), device_(device), element_bytes_(dtype == "fp32" ? 4 : 2) {
    std::vector<MemoryPoint> points;
    for (const auto& m : measured)
      points.push_back({static_cast<double>(m.batch * m.seq_length), m.bytes, m.predicted_bytes});
    if (!measured.empty()) program_bytes_ = measured[0].predicted_program_bytes;
    calibration_ = calibrate(points);
  }
  double operator()(std::int64_t batch, std::int64_t length) const {
    return calibration_.apply(estimate(batch, length).total(), static_cast<double>(batch * length));
  }
  const MemoryCalibration& calibration() const { return calibration_; }

 private:
  MemoryEstimate estimate(std::int64_t batch, std::int64_t length) const {
    if (!setup_.train)
      return estimate_decode_memory(
          setup_.model.value, {batch, std::max<std::int64_t>(length - 1, 1), length, element_bytes_, program_bytes_});
    TrainingShape shape = training_shape(
        {.micro_batch_size = batch, .gradient_checkpointing = setup_.checkpointing, .fused = setup_.fused}, length,
        &device_);
    shape.element_bytes = element_bytes_;
    shape.program_bytes = program_bytes_;  // the measured processes' own, not this one's
    return estimate_training_memory(setup_.model.value, shape);
  }

  const Setup& setup_;
  const Device& device_;
  std::int64_t element_bytes_;
  double program_bytes_ = 0;
  MemoryCalibration calibration_;
};

std::vector<MemoryFit> find_fits(const Options& options, const Setup& setup, const Predictor& predict,
                                 const std::vector<MeasuredPeak>& all) {
  constexpr std::int64_t kMostSequences = 1 << 16;
  std::vector<MemoryFit> fits;
  const auto add = [&](bool of_length, std::int64_t held, std::int64_t limit) {
    const auto bytes = [&](std::int64_t n) { return of_length ? predict(held, n) : predict(n, held); };
    MemoryFit fit{of_length, held, largest_within(setup.budget_bytes, limit, bytes), 0, false};
    // Where there is a measurement it counts, whatever is predicted.
    for (const auto& m : all)
      if (const std::int64_t n = of_length ? m.seq_length : m.batch;
          (of_length ? m.batch : m.seq_length) == held && m.bytes > setup.budget_bytes)
        fit.largest = std::min(fit.largest, n - 1);
    fit.bytes = bytes(std::max<std::int64_t>(fit.largest, 1));
    for (const auto& m : all)
      if (const std::int64_t n = of_length ? m.seq_length : m.batch;
          (of_length ? m.batch : m.seq_length) == held && m.bytes <= setup.budget_bytes && n >= fit.largest)
        fit = {of_length, held, n, m.bytes, true};
    fits.push_back(fit);
  };
  for (const std::int64_t batch : options.batches) add(true, batch, setup.model.value.max_seq_length);
  for (const std::int64_t length : setup.lengths) add(false, length, kMostSequences);
  return fits;
}

std::int64_t whole(double bytes) { return std::llround(bytes); }

Json to_json(const MemoryFindings& found) {
  Json json = {{"schema", "bench-memory/1"}, {"model", found.model},   {"mode", found.mode},
               {"dtype", found.dtype},       {"device", found.device}, {"machine", found.machine}};
  if (found.mode == "train") json.update({{"gradient_checkpointing", found.checkpointing}, {"fused", found.fused}});
  for (const auto& peak : found.peaks) {
    Json parts = Json::object();
    for (const auto& [component, bytes] : peak.parts) parts[fmt::format("{}_bytes", component.name)] = whole(bytes);
    json["points"].push_back({{"batch", peak.batch},
                              {"seq_length", peak.seq_length},
                              {"peak_memory_bytes", whole(peak.bytes)},
                              {"predicted_memory_bytes", whole(peak.predicted_bytes)},
                              {"parts", parts}});
  }
  json["calibration"] = {{"offset_bytes", whole(found.calibration.offset_bytes)},
                         {"bytes_per_token", found.calibration.bytes_per_token}};
  if (found.budget_bytes > 0) json["budget_bytes"] = whole(found.budget_bytes);
  for (const auto& fit : found.fits)
    json["largest"].push_back({{fit.of_length ? "batch" : "seq_length", fit.held},
                               {fit.of_length ? "largest_seq_length" : "largest_batch", fit.largest},
                               {"bytes", whole(fit.bytes)},
                               {"measured", fit.measured}});
  return json;
}

/// What the cases left, also of those that broke off.
void collect(const Report& report, MemoryFindings& found) {
  for (const auto& one : report.cases) {
    const Record& record = one.record();
    collect(record, found.peaks);
    if (const auto dtype = record.notes.find("dtype"); dtype != record.notes.end()) found.dtype = dtype->second;
    for (const char* name : {"did_not_fit", "cut_short", kPeakUnreadNote})
      if (const auto note = record.notes.find(name); note != record.notes.end())
        std::cerr << fmt::format("{}: {}\n", one.name, note->second);
    if (record.status == Record::Status::kError)
      std::cerr << format_error(one.name, record.reason, record.hint) << "\n";
  }
}

Exit run(const Options& options) {
  const Setup setup = read_setup(options);
  const Device& device = find_device(options.device, "--device");
  RunOptions run_options;
  run_options.device = options.device;
  const Report report = run_suite(suite_for(options, setup), run_options);
  if (!options.out.empty()) write_report(report, options.out, {"json", "markdown", "html"});
  MemoryFindings found{options.model,
                       options.mode,
                       "",
                       report.device,
                       report.machine(),
                       setup.checkpointing,
                       setup.fused,
                       options.budget,
                       setup.budget_bytes,
                       setup.model.value.max_seq_length,
                       {},
                       {},
                       {}};
  collect(report, found);
  const bool unread = std::any_of(report.cases.begin(), report.cases.end(),
                                  [](const CaseResult& one) { return !one.record().peak_unread().empty(); });
  const Exit exit = unread || report.exit_code() == Exit::kCaseError ? Exit::kCaseError : Exit::kOk;
  if (found.peaks.empty()) return exit;
  const Predictor predict(setup, device, found.dtype, found.peaks);
  found.calibration = predict.calibration();
  if (setup.budget_bytes > 0) found.fits = find_fits(options, setup, predict, found.peaks);
  if (options.as_json) {
    std::cout << dumped(to_json(found), 2) << "\n";
  } else {
    write_memory_text(found, std::cout);
    if (!options.out.empty()) std::cout << "report: " << options.out << "\n";
  }
  if (!found.fits.empty() &&
      std::all_of(found.fits.begin(), found.fits.end(), [](const MemoryFit& fit) { return fit.largest < 1; }))
    throw Error::at_run_time("--budget", fmt::format("nothing fits {}", options.budget),
                             "a larger budget, a smaller model or shorter sequences");
  return exit;
}

}  // namespace

void add_memory(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("memory", "Measure peak memory by component, and what fits a budget");
  verb->add_option("--model", options->model, "model config, such as configs/model_medium.yaml")->required();
  verb->add_option("--mode", options->mode, "train or decode")->capture_default_str();
  verb->add_option("--seq", options->lengths, "sequence lengths, such as 256,512 [256,512,1024,2048]")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--batch", options->batches, "sequences together; in training, those of a micro-batch")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  verb->add_option("--budget", options->budget, "such as 10GB: also say what is the largest that fits");
  verb->add_option("--training", options->training,
                   "training config for mixed_precision, compile_model and gradient_checkpointing");
  verb->add_flag("--checkpointing", options->checkpointing, "train with gradient checkpointing");
  verb->add_option("--device", options->device, "auto, mps, cuda or cpu")->capture_default_str();
  verb->add_option("--seconds", options->seconds, "after so many no further length of a batch is begun")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--out", options->out, "folder for a report: report.json, .md and .html");
  verb->add_flag("--json", options->as_json, "print JSON instead of the table");
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace bench::harness
