#include "harness/cli/memory_text.h"
#include "harness/cli/verbs.h"
#include "harness/core/units.h"
#include "harness/devices/device.h"
#include "harness/devices/device_names.h"
#include "harness/reports/reports.h"
#include "harness/running/runner.h"
#include "harness/training/training_config.h"

#include <algorithm>
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

void check_positive(const std::vector<std::int64_t>& values, std::int64_t most, const char* option, const char* why) {
  for (const std::int64_t value : values)
    if (value <= 0 || value > most) throw Error(option, fmt::format("{} is not in 1 .. {}", value, most), why);
}

MemoryQuestion read_question(const Options& options) {
  MemoryQuestion question;
  question.model = {read_config<model::ModelConfig>(YamlNode::load(options.model)), options.model, true};
  if (options.mode != "train" && options.mode != "decode")
    throw Error("--mode", fmt::format("unknown mode '{}'", options.mode),
                unknown_name_hint(options.mode, {"train", "decode"}));
  question.train = options.mode == "train";
  if (!question.train && (options.checkpointing || !options.training.empty()))
    throw Error(options.checkpointing ? "--checkpointing" : "--training", "is for --mode train",
                "decoding keeps nothing for a backward pass");
  if (!options.training.empty()) {
    const auto training = read_config<TrainingConfig>(YamlNode::load(options.training)).train;
    question.checkpointing = training.gradient_checkpointing;
    question.fused = training.compile_model;
    question.dtype = training.mixed_precision ? "auto" : "fp32";
  }
  question.checkpointing |= options.checkpointing;
  const std::int64_t longest = question.model.value.max_seq_length;
  question.lengths = options.lengths;
  if (question.lengths.empty())
    for (const std::int64_t length : {256, 512, 1024, 2048})
      if (length <= longest) question.lengths.push_back(length);
  if (question.lengths.empty()) question.lengths.push_back(longest);
  std::ranges::sort(question.lengths);
  const auto repeated = std::ranges::unique(question.lengths);
  question.lengths.erase(repeated.begin(), repeated.end());
  check_positive(question.lengths, longest, "--seq", "up to the model's max_seq_length");
  question.batches = options.batches;
  check_positive(options.batches, 1 << 20, "--batch", "sequences together");
  if (!options.budget.empty()) question.budget_bytes = parse_bytes(options.budget, "--budget");
  return question;
}

/// A memory case for each batch; each of its lengths gets a process of its own.
Suite suite_for(const Options& options, const MemoryQuestion& question) {
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
        {"model", to_json(question.model)}, {"mode", options.mode}, {"dtype", question.dtype},
        {"seq_lengths", question.lengths},  {"batch", batch},       {"gradient_checkpointing", question.checkpointing},
        {"compile_model", question.fused}};
    FieldReader reader(YamlNode::parse(dumped(given), "bench memory"));
    spec.config = find_case_type(spec.type)->read(reader);
    suite.cases.push_back(std::move(spec));
  }
  return suite;
}

/// What the cases left, also of those that broke off.
void collect(const Report& report, MemoryFindings& found) {
  for (const auto& one : report.cases) {
    const Record& record = one.record();
    add_peaks(record, found.peaks);
    if (const auto dtype = record.notes.find("dtype"); dtype != record.notes.end()) found.dtype = dtype->second;
    for (const char* name : {"did_not_fit", "cut_short", kPeakUnreadNote})
      if (const auto note = record.notes.find(name); note != record.notes.end())
        std::cerr << fmt::format("{}: {}\n", one.name, note->second);
    if (record.status == Record::Status::kError)
      std::cerr << format_error(one.name, record.reason, record.hint) << "\n";
  }
}

Exit run(const Options& options) {
  const MemoryQuestion question = read_question(options);
  const Device& device = find_device(options.device, "--device");
  RunOptions run_options;
  run_options.device = options.device;
  const Report report = run_suite(suite_for(options, question), run_options);
  if (!options.out.empty()) write_report(report, options.out, {"json", "markdown", "html"}, Unwritten::kRemoved);
  MemoryFindings found{options.model,
                       options.mode,
                       "",
                       report.device,
                       report.machine(),
                       question.checkpointing,
                       question.fused,
                       options.budget,
                       question.budget_bytes,
                       question.model.value.max_seq_length,
                       {},
                       {},
                       {}};
  collect(report, found);
  const bool unread =
      std::ranges::any_of(report.cases, [](const CaseResult& one) { return !one.record().peak_unread().empty(); });
  const Exit exit = unread || report.exit_code() == Exit::kCaseError ? Exit::kCaseError : Exit::kOk;
  if (found.peaks.empty()) return exit;
  const MemoryPredictor predict(question, device, found.dtype, found.peaks);
  found.calibration = predict.calibration();
  if (question.budget_bytes > 0) found.fits = find_fits(question, predict, found.peaks);
  if (options.as_json) {
    std::cout << dumped(to_json(found), 2) << "\n";
  } else {
    write_memory_text(found, std::cout);
    if (!options.out.empty()) std::cout << "report: " << options.out << "\n";
  }
  if (!found.fits.empty() && std::ranges::all_of(found.fits, [](const MemoryFit& fit) { return fit.largest < 1; }))
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
  verb->add_option("--device", options->device, device_choices())->capture_default_str();
  verb->add_option("--seconds", options->seconds, "after so many no further length of a batch is begun")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--out", options->out, "folder for a report: report.json, .md and .html");
  verb->add_flag("--json", options->as_json, "print JSON instead of the table");
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace bench::harness
