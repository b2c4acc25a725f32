#include "model/generate.h"

#include "harness/checkpoints.h"
#include "harness/cli/verbs.h"
#include "harness/core/clock.h"
#include "harness/core/progress.h"
#include "harness/data/text.h"
#include "harness/devices/device.h"
#include "harness/inference_config.h"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string checkpoint, config = "configs/inference.yaml", dtype = "auto", device;
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

/// Continues prompts of equal length together. One alone is printed as it comes, several when all are done.
std::int64_t generate_together(model::LanguageModel& model, const Tokenizer& tokenizer, std::vector<Text>& texts,
                               const InferenceConfig& config, const Options& options) {
  const bool stream = texts.size() == 1;
  if (stream) std::cout << texts[0].shown << std::flush;
  model::GenerateOptions generate_options{.max_new_tokens = room_for(static_cast<std::int64_t>(texts[0].ids.size()),
                                                                     config, model->config(), options.max_new_tokens),
                                          .use_cache = config.generation.use_cache,
                                          .seed = options.seed};
  std::vector<std::vector<std::int64_t>> prompts;
  for (const auto& text : texts) prompts.push_back(text.ids);
  std::int64_t produced = 0;
  generate_options.on_token = [&](std::int64_t row, std::int64_t token) {
    ++produced;
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
  return produced;
}

/// Prompts in groups of equal length and at most batch_size, in the order of their first member.
std::vector<std::vector<Text>> group(std::vector<Text> texts, std::int64_t batch_size) {
  std::vector<std::vector<Text>> groups;
  for (auto& text : texts) {
    const auto fits = std::find_if(groups.begin(), groups.end(), [&](const auto& g) {
      return g[0].ids.size() == text.ids.size() && static_cast<std::int64_t>(g.size()) < batch_size;
    });
    if (fits == groups.end())
      groups.push_back({std::move(text)});
    else
      fits->push_back(std::move(text));
  }
  return groups;
}

void run(const Options& options) {
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
  const auto tokenizer = checkpoint_tokenizer(config.model.checkpoint_path);
  if (!tokenizer)
    throw Error(config.model.checkpoint_path, fmt::format("has no {}", kTokenizerFile),
                "text can't be encoded without it");
  tokenizer->check_fits(model->config().vocab_size);
  std::signal(SIGINT, [](int) { interrupted = 1; });
  const double begin = now_s();
  std::int64_t produced = 0;
  std::vector<Text> texts;
  for (const auto& prompt : options.prompts) texts.push_back(start(*tokenizer, prompt));
  for (auto& together : group(std::move(texts), config.generation.batch_size))
    if (!interrupted) produced += generate_together(model, *tokenizer, together, config, options);
  const double seconds = now_s() - begin;
  std::cerr << fmt::format("{} new tokens in {:.2f} s, {:.1f} tokens/s with the prompts ({}, {})\n", produced, seconds,
                           static_cast<double>(produced) / seconds, dtype_text(dtype), device.name);
}

}  // namespace

void add_generate(CLI::App& app, Exit&) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("generate", "Continue a text; settings come from configs/inference.yaml");
  verb->add_option("--checkpoint", options->checkpoint, "Hugging Face folder [the config's checkpoint_path]");
  verb->add_option("--prompt", options->prompts, "text to continue; may be given several times")
      ->required()
      ->allow_extra_args(false);
  verb->add_option("--config", options->config, "inference config")->capture_default_str();
  verb->add_option("--max-new-tokens", options->max_new_tokens, "stop after so many [as many as max_length leaves]")
      ->check(CLI::PositiveNumber);
  verb->add_option("--seed", options->seed, "of the sampling")->capture_default_str();
  verb->add_flag("--greedy", options->greedy, "always the most probable token");
  verb->add_option("--dtype", options->dtype, "fp32, bf16 or auto")->capture_default_str();
  verb->add_option("--device", options->device, "auto, mps, cuda or cpu [the config's]");
  verb->add_option("--set", options->set, "KEY=VALUE of the config, such as generation.temperature=1.0")
      ->allow_extra_args(false);
  verb->callback([options] { run(*options); });
}

}  // namespace bench::harness
