#include "model/generate.h"

#include "harness/checkpoints.h"
#include "harness/cli/verbs.h"
#include "harness/core/clock.h"
#include "harness/core/progress.h"
#include "harness/data/text.h"
#include "harness/devices/device.h"
#include "harness/inference_config.h"
#include "harness/quantization_cost.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string checkpoint, config = "configs/inference.yaml", dtype = "auto", quantize = "none", device, file;
  std::vector<std::string> prompts, set;
  std::int64_t max_new_tokens = 0;
  std::uint64_t seed = 0;
  bool greedy = false;
};

/// Text without the incomplete character at its end: byte pieces come one by one, and half a syllable decodes to
/// U+FFFD.
std::string complete_part(std::string text) {
  const std::string replacement = "\xEF\xBF\xBD";
  while (text.size() >= replacement.size() &&
         text.compare(text.size() - replacement.size(), replacement.size(), replacement) == 0)
    text.resize(text.size() - replacement.size());
  return text;
}

/// --device, else the config's; where this machine hasn't that one, whichever it has: writing text needs no special
/// one.
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

volatile std::sig_atomic_t interrupted = 0;

/// A prompt, its tokens, and what was shown of it and its continuation.
struct Text {
  std::vector<std::int64_t> ids;
  std::string shown;
};

Text start(const Tokenizer& tokenizer, const std::string& prompt) {
  if (find_invalid_utf8(prompt) != std::string_view::npos) throw Error("--prompt", "is not UTF-8");
  Text text{tokenizer.encode(prompt), ""};
  if (text.ids.empty()) throw Error("--prompt", "is empty", "give some text to continue");
  text.shown = tokenizer.decode(text.ids);
  return text;
}

/// How many new tokens there is room for behind a prompt of that length.
std::int64_t room_for(std::int64_t length, const InferenceConfig& config, const model::ModelConfig& model,
                      std::int64_t wanted) {
  const std::int64_t room = std::min(config.generation.max_length, model.max_seq_length) - length;
  if (room < std::max<std::int64_t>(wanted, 1))
    throw Error(
        "--prompt",
        fmt::format("has {} tokens; max_length {} and the model's max_seq_length {} leave room for {} new ones", length,
                    config.generation.max_length, model.max_seq_length, std::max<std::int64_t>(room, 0)),
        "shorten the prompt or lower --max-new-tokens");
  return wanted > 0 ? wanted : room;
}

/// What was generated, and the seconds from the start of each group to its first tokens and from there to its end.
struct Speed {
  std::int64_t tokens = 0, steps = 0;
  double first_s = 0, rest_s = 0;
};

/// Continues prompts together. One alone is printed as it comes, several when all are done.
void generate_together(model::LanguageModel& model, const Tokenizer& tokenizer, std::vector<Text>& texts,
                       const InferenceConfig& config, const Options& options, Speed& speed) {
  const bool stream = texts.size() == 1;
  if (stream) std::cout << texts[0].shown << std::flush;
  std::size_t longest = 0;
  for (const auto& text : texts) longest = std::max(longest, text.ids.size());
  model::GenerateOptions generate_options{
      .max_new_tokens = room_for(static_cast<std::int64_t>(longest), config, model->config(), options.max_new_tokens),
      .use_cache = config.generation.use_cache,
      .seed = options.seed};
  std::vector<std::vector<std::int64_t>> prompts;
  for (const auto& text : texts) prompts.push_back(text.ids);
  const double begin = now_s();
  double first = 0;
  std::int64_t produced = 0;
  generate_options.on_token = [&](std::int64_t row, std::int64_t token) {
    if (produced++ == 0) first = now_s();
    if (token == model->config().eos_token_id) return interrupted == 0;
    Text& text = texts[static_cast<std::size_t>(row)];
    text.ids.push_back(token);
    const std::string now = complete_part(tokenizer.decode(text.ids));
    if (now.size() <= text.shown.size()) return interrupted == 0;
    if (stream) std::cout << now.substr(text.shown.size()) << std::flush;
    text.shown = now;
    return interrupted == 0;
  };
  model::generate(model, prompts, config.generation.sampling(), generate_options);
  for (const auto& text : texts) std::cout << (stream ? "" : text.shown) << "\n";
  std::cout << std::flush;
  if (produced == 0) return;
  speed.tokens += produced;
  speed.steps += produced - static_cast<std::int64_t>(texts.size());  // tokens that are not the first of their row
  speed.first_s += first - begin;
  speed.rest_s += now_s() - first;
}

/// The prompts in their order, at most batch_size together.
std::vector<std::vector<Text>> group(std::vector<Text> texts, std::int64_t batch_size) {
  std::vector<std::vector<Text>> groups;
  for (auto& text : texts) {
    if (groups.empty() || static_cast<std::int64_t>(groups.back().size()) == batch_size) groups.emplace_back();
    groups.back().push_back(std::move(text));
  }
  return groups;
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
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) prompts.push_back(line);
  }
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
  const torch::Dtype dtype = options.dtype == "auto" ? fast_dtype(device) : dtype_named(options.dtype, "--dtype");
  model::LanguageModel model = open_checkpoint(config.model.checkpoint_path, dtype, device.torch_device());
  model->set_all_fused(config.model.compile);
  model->quantize(quantization_named(options.quantize, "--quantize"));
  const auto tokenizer = checkpoint_tokenizer(config.model.checkpoint_path);
  if (!tokenizer)
    throw Error(config.model.checkpoint_path, fmt::format("has no {}", kTokenizerFile),
                "text can't be encoded without it");
  tokenizer->check_fits(model->config().vocab_size);
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::vector<Text> texts;
  for (const auto& prompt : prompts) texts.push_back(start(*tokenizer, prompt));
  Speed speed;
  for (auto& together : group(std::move(texts), config.generation.batch_size))
    if (!interrupted) generate_together(model, *tokenizer, together, config, options, speed);
  const std::string rate =
      speed.steps > 0 ? fmt::format("{:.1f} tokens/s behind the first", static_cast<double>(speed.steps) / speed.rest_s)
                      : "no more than the first";
  std::cerr << fmt::format("{} new tokens: first after {:.2f} s, {} ({}{}, {}){}\n", speed.tokens, speed.first_s, rate,
                           dtype_text(dtype), options.quantize == "none" ? "" : ", " + options.quantize, device.name,
                           interrupted ? ", interrupted" : "");
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
      ->check(CLI::PositiveNumber);
  verb->add_option("--seed", options->seed, "of the sampling")->capture_default_str();
  verb->add_flag("--greedy", options->greedy, "always the most probable token");
  verb->add_option("--dtype", options->dtype, "fp32, bf16 or auto")->capture_default_str();
  verb->add_option("--quantize", options->quantize,
                   "weights as whole numbers: none, int8 or int4; bench ppl --quantize says what that costs")
      ->capture_default_str();
  verb->add_option("--device", options->device, "auto, mps, cuda or cpu [the config's]");
  verb->add_option("--set", options->set, "KEY=VALUE of the config, such as generation.temperature=1.0")
      ->allow_extra_args(false);
  verb->callback([options] { run(*options); });
}

}  // namespace bench::harness
