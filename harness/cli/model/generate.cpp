#include "model/generate.h"

#include "harness/checkpoints/checkpoints.h"
#include "harness/checkpoints/inference_config.h"
#include "harness/cli/checks.h"
#include "harness/cli/generated_texts.h"
#include "harness/cli/model/bos_choice.h"
#include "harness/cli/verbs.h"
#include "harness/core/clock.h"
#include "harness/core/progress.h"
#include "harness/core/signals.h"
#include "harness/data/text.h"
#include "harness/data/tokens.h"
#include "harness/devices/device.h"
#include "harness/devices/device_names.h"
#include "harness/evaluation/quantization_cost.h"
#include "model/checkpoint.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>

#include <fmt/ranges.h>

namespace bench::harness {
namespace {

struct Options {
  std::string checkpoint, config = "configs/inference.yaml", dtype = "auto", quantize = "none", quality_text, device,
                          file;
  std::vector<std::string> prompts, set;
  std::vector<std::int64_t> eos_token_ids;
  BosChoice bos;
  std::int64_t max_new_tokens = 0;
  std::uint64_t seed = 0;
  bool greedy = false;
};

/// The device that --device names, else the config's. If this machine doesn't have the config's device, takes whichever
/// it has: writing text needs no special device.
const Device& device_for(const Options& options, const InferenceConfig& config) {
  if (!options.device.empty()) return find_device(options.device, "--device");
  try {
    return find_device(config.model.device, options.config + ": device");
  } catch (const Error& e) {
    const Device& device = find_device("auto", "");
    print_status(fmt::format("{}: {}; using {}", e.where(), e.message(), device.name));
    return device;
  }
}

using Ids = std::vector<std::int64_t>;

Ids encoded(const Tokenizer& tokenizer, const std::string& prompt) {
  if (find_invalid_utf8(prompt) != std::string_view::npos) throw Error("--prompt", "is not UTF-8");
  if (prompt.empty()) throw Error("--prompt", "is empty", "give some text to continue");
  Ids ids = tokenizer.encode_from_beginning(prompt);
  if (ids.empty()) throw Error("--prompt", "has no tokens", "give some text to continue");
  return ids;
}

/// Where texts end: as asked for, else as the checkpoint says.
model::EndTokens end_tokens(const Options& options, const std::string& checkpoint, std::int64_t vocab_size) {
  if (options.eos_token_ids.empty()) return model::read_end_tokens(checkpoint);
  for (const std::int64_t id : options.eos_token_ids)
    if (id >= vocab_size)
      throw Error("--eos-token-id", fmt::format("{} is outside the vocabulary of {}", id, vocab_size));
  return {options.eos_token_ids, "--eos-token-id"};
}

std::string text(const model::EndTokens& end) {
  if (end.ids.empty()) return "no token ends them";
  return fmt::format("end at {} ({})", fmt::join(end.ids, ", "), end.said_in);
}

model::GenerateOptions options_for(const InferenceConfig& config, const model::ModelConfig& model,
                                   const Options& options, const model::EndTokens& end) {
  const std::int64_t length = std::min(config.generation.max_length, model.max_seq_length);
  return {.max_new_tokens = options.max_new_tokens > 0 ? options.max_new_tokens : length,
          .max_length = length,
          .end_ids = end.ids,
          .use_cache = config.generation.use_cache,
          .seed = options.seed};
}

/// Checks all prompts before the first one is continued.
void check_room(const std::vector<Ids>& prompts, const model::GenerateOptions& generation, std::int64_t wanted) {
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::int64_t length = std::ssize(prompts[i]), room = generation.max_length - length;
    if (room < std::max<std::int64_t>(wanted, 1))
      throw Error(fmt::format("prompt {}", i + 1),
                  fmt::format("has {} tokens; max_length and the model's max_seq_length leave room for {} new ones",
                              length, std::max<std::int64_t>(room, 0)),
                  "shorten the prompt or lower --max-new-tokens");
  }
}

/// What was generated; the seconds from the start of each group to its first tokens, and from there to its end.
struct Speed {
  std::int64_t tokens = 0, steps = 0;
  double first_s = 0, rest_s = 0;
};

/// Continues prompts together, and prints them; ends where it is when somebody interrupts.
void generate_together(model::LanguageModel& model, const Tokenizer& tokenizer, const std::vector<Ids>& prompts,
                       const InferenceConfig& config, model::GenerateOptions generation,
                       const InterruptGuard& interrupt, Speed& speed) {
  GeneratedTexts texts(prompts, [&](const Ids& ids) { return tokenizer.decode(ids); }, std::cout);
  const double begin = now_s();
  double first = 0;
  std::int64_t produced = 0;
  generation.on_token = [&](std::int64_t row, std::int64_t token) {
    if (produced++ == 0) first = now_s();
    const auto& ends = *generation.end_ids;
    if (std::ranges::find(ends, token) == ends.end()) texts.add(row, token);
    return interrupt.signal() == 0;
  };
  generation.on_end = [&](std::int64_t row) { texts.end(row); };
  model::generate(model, prompts, config.generation.sampling(), generation);
  texts.end_all();
  speed.tokens += produced;
  speed.steps += produced - std::ssize(prompts);  // tokens that are not the first of their row
  speed.first_s += first - begin;
  speed.rest_s += now_s() - first;
}

/// The prompts in their order, at most batch_size together.
std::vector<std::vector<Ids>> group(std::vector<Ids> prompts, std::int64_t batch_size) {
  std::vector<std::vector<Ids>> groups;
  for (auto& prompt : prompts) {
    if (groups.empty() || std::ssize(groups.back()) == batch_size) groups.emplace_back();
    groups.back().push_back(std::move(prompt));
  }
  return groups;
}

/// Quantises the model. Returns what that costs on --quality-text, or nothing without it.
std::string quantize(model::LanguageModel& model, const Options& options, const std::string& checkpoint,
                     const Tokenizer& tokenizer) {
  const model::Quantization quantization = quantization_named(options.quantize, "--quantize");
  if (quantization == model::Quantization::kNone) return "";
  model->quantize(quantization);
  if (options.quality_text.empty()) return "";
  model::LanguageModel base = open_checkpoint(checkpoint, model->compute_dtype(), model->device());
  const TokenStream text = text_tokens(options.quality_text, tokenizer, /*threads=*/2);
  return measure_quantization_cost(base, model, quality_tokens(text.ids)).text();
}

/// The speed of quantised weights is shown only together with what the quantisation costs.
std::string speed_text(const Speed& speed, const Options& options, const std::string& cost) {
  if (options.quantize != "none" && cost.empty())
    return "for their speed, and what " + options.quantize + " costs, give --quality-text FILE";
  const std::string rate =
      speed.steps > 0 ? fmt::format("{:.1f} tokens/s behind the first", static_cast<double>(speed.steps) / speed.rest_s)
                      : "no more than the first";
  return fmt::format("first after {:.2f} s, {}{}", speed.first_s, rate, cost.empty() ? "" : "; " + cost);
}

/// Prompts from the command line, then those of the file (- is standard input), one a line; empty lines are none.
std::vector<std::string> all_prompts(const Options& options) {
  std::vector<std::string> prompts = options.prompts;
  if (options.file.empty() && prompts.empty())
    throw Error("bench generate", "has nothing to continue",
                "give --prompt TEXT, --file FILE or --file - for standard input");
  if (options.file.empty()) return prompts;
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file);
    if (!file) throw Error(options.file, "cannot be read");
  }
  std::istream& in = options.file == "-" ? std::cin : file;
  for (std::string line; next_line(in, line, options.file);)
    if (!line.empty()) prompts.push_back(line);
  if (prompts.empty()) throw Error(options.file, "holds no prompt", "one prompt a line");
  return prompts;
}

void run(const Options& options) {
  const std::vector<std::string> prompts = all_prompts(options);
  const auto overrides = std::make_shared<Overrides>(options.set);
  auto config = read_config<InferenceConfig>(YamlNode::load(options.config, overrides));
  overrides->check_all_used();
  if (!options.checkpoint.empty()) config.model.checkpoint_path = options.checkpoint;
  if (options.greedy) config.generation.do_sample = false;
  const Device& device = device_for(options, config);
  device.prepare();
  const torch::Dtype dtype = options.dtype == "auto" ? decoding_dtype(device) : dtype_named(options.dtype, "--dtype");
  const std::string& checkpoint = config.model.checkpoint_path;
  model::LanguageModel model = open_checkpoint(checkpoint, dtype, device.torch_device());
  model->set_all_fused(config.model.compile);
  const auto [tokenizer, assumed] = checkpoint_tokenizer(checkpoint, options.bos.choice());
  tokenizer->check_fits(model->config().vocab_size);
  const model::EndTokens end = end_tokens(options, checkpoint, model->config().vocab_size);
  std::vector<Ids> ids;
  for (const auto& prompt : prompts) ids.push_back(encoded(*tokenizer, prompt));
  const model::GenerateOptions generation = options_for(config, model->config(), options, end);
  check_room(ids, generation, options.max_new_tokens);
  const std::string cost = quantize(model, options, checkpoint, *tokenizer);
  const InterruptGuard interrupt;
  Speed speed;
  for (const auto& together : group(std::move(ids), config.generation.batch_size))
    if (interrupt.signal() == 0) generate_together(model, *tokenizer, together, config, generation, interrupt, speed);
  std::cerr << fmt::format("{} new tokens ({}{}, {}{}): {}; {}, {}; sampling is {}'s\n", speed.tokens,
                           dtype_text(dtype), options.quantize == "none" ? "" : ", " + options.quantize, device.name,
                           interrupt.signal() ? ", interrupted" : "", speed_text(speed, options, cost), assumed,
                           text(end), options.config);
}

}  // namespace

void add_generate(CLI::App& app, Exit&) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("generate", "Continue a text; settings come from configs/inference.yaml");
  verb->add_option("--checkpoint", options->checkpoint, "Hugging Face folder [the config's checkpoint_path]");
  verb->add_option("--prompt", options->prompts, "text to continue; may be given several times")
      ->allow_extra_args(false);
  verb->add_option("--file", options->file, "more prompts, one a line; - for standard input");
  verb->add_option("--config", options->config, "inference config")->capture_default_str();
  verb->add_option("--max-new-tokens", options->max_new_tokens, "stop after so many [as many as max_length leaves]")
      ->check(whole_number(1));
  verb->add_option("--eos-token-id", options->eos_token_ids,
                   "a text ends at this token; may be given several times [as config.json and generation_config.json "
                   "say]")
      ->allow_extra_args(false)
      ->check(whole_number(0));
  options->bos.add_to(*verb);
  verb->add_option("--seed", options->seed, "of the sampling")->capture_default_str();
  verb->add_flag("--greedy", options->greedy, "always the most probable token");
  verb->add_option("--dtype", options->dtype, "fp32, bf16, fp16 or auto")->capture_default_str();
  verb->add_option("--quantize", options->quantize, "weights as integers: none, int8 or int4")->capture_default_str();
  verb->add_option("--quality-text", options->quality_text,
                   "held-out text on which to measure what --quantize costs; the speed is told beside that only");
  verb->add_option("--device", options->device, device_choices() + " [the config's]");
  verb->add_option("--set", options->set, "KEY=VALUE of the config, such as generation.temperature=1.0")
      ->allow_extra_args(false);
  verb->callback([options] { run(*options); });
}

}  // namespace bench::harness
