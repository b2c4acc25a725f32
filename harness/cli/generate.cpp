#include <csignal>
#include <iostream>
#include <memory>

#include "harness/checkpoints.h"
#include "harness/cli/verbs.h"
#include "harness/core/clock.h"
#include "harness/devices/device.h"
#include "harness/inference_config.h"
#include "model/generate.h"

namespace bench::harness {
namespace {

struct Options {
  std::string checkpoint, config = "configs/inference.yaml", dtype = "auto", device;
  std::vector<std::string> prompts, set;
  std::int64_t max_new_tokens = 0;
  std::uint64_t seed = 0;
  bool greedy = false;
};

/// Text without the incomplete character at its end: byte pieces come one by one, and half a syllable decodes to U+FFFD.
std::string complete_part(std::string text) {
  const std::string replacement = "\xEF\xBF\xBD";
  while (text.size() >= replacement.size() && text.compare(text.size() - replacement.size(), replacement.size(), replacement) == 0)
    text.resize(text.size() - replacement.size());
  return text;
}

volatile std::sig_atomic_t interrupted = 0;

/// Generates from one prompt and prints the text as it comes. Returns the number of new tokens.
std::int64_t generate_one(model::LanguageModel& model, const Tokenizer& tokenizer, const std::string& prompt, const InferenceConfig& config,
                          const Options& options) {
  std::vector<std::int64_t> ids = tokenizer.encode(prompt);
  if (ids.empty()) throw Error("--prompt", "is empty", "give some text to continue");
  const auto length = static_cast<std::int64_t>(ids.size());
  const std::int64_t room = std::min(config.generation.max_length, model->config().max_seq_length) - length;
  if (room < 1)
    throw Error("--prompt", fmt::format("has {} tokens, max_length {} and the model's max_seq_length {} leave no room for new ones", length,
                                        config.generation.max_length, model->config().max_seq_length), "shorten the prompt");
  std::string shown = tokenizer.decode(ids);
  std::cout << shown << std::flush;
  std::int64_t produced = 0;
  model::GenerateOptions generate_options{.max_new_tokens = options.max_new_tokens > 0 ? options.max_new_tokens : room,
                                          .use_cache = config.generation.use_cache, .seed = options.seed};
  generate_options.on_token = [&](std::int64_t, std::int64_t token) {
    ++produced;
    if (token == model->config().eos_token_id) return false;
    ids.push_back(token);
    const std::string text = complete_part(tokenizer.decode(ids));
    if (text.size() > shown.size()) {
      std::cout << text.substr(shown.size()) << std::flush;
      shown = text;
    }
    return interrupted == 0;
  };
  model::generate(model, {tokenizer.encode(prompt)}, config.generation.sampling(), generate_options);
  std::cout << "\n";
  return produced;
}

void run(const Options& options) {
  const auto overrides = std::make_shared<Overrides>(options.set);
  auto config = read_config<InferenceConfig>(YamlNode::load(options.config, overrides));
  overrides->check_all_used();
  if (!options.checkpoint.empty()) config.model.checkpoint_path = options.checkpoint;
  if (!options.device.empty()) config.model.device = options.device;
  if (options.greedy) config.generation.do_sample = false;
  const Device& device = find_device(config.model.device, "device");
  device.prepare();
  const torch::Dtype dtype = options.dtype == "auto" ? (device.fast_bf16() ? torch::kBFloat16 : torch::kFloat32) : dtype_named(options.dtype, "--dtype");
  model::LanguageModel model = open_checkpoint(config.model.checkpoint_path, dtype, device.torch_device());
  const auto tokenizer = checkpoint_tokenizer(config.model.checkpoint_path);
  if (!tokenizer) throw Error(config.model.checkpoint_path, fmt::format("has no {}", kTokenizerFile), "text can't be encoded without it");
  tokenizer->check_fits(model->config().vocab_size);
  std::signal(SIGINT, [](int) { interrupted = 1; });
  const double begin = now_s();
  std::int64_t produced = 0;
  for (const auto& prompt : options.prompts)
    if (!interrupted) produced += generate_one(model, *tokenizer, prompt, config, options);
  const double seconds = now_s() - begin;
  std::cerr << fmt::format("{} new tokens in {:.2f} s, {:.1f} tokens/s with the prompts ({}, {})\n", produced, seconds,
                           static_cast<double>(produced) / seconds, dtype_text(dtype), device.name);
}

}  // namespace

void add_generate(CLI::App& app, Exit&) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("generate", "Continue a text; settings come from configs/inference.yaml");
  verb->add_option("--checkpoint", options->checkpoint, "Hugging Face folder [the config's checkpoint_path]");
  verb->add_option("--prompt", options->prompts, "text to continue; may be given several times")->required();
  verb->add_option("--config", options->config, "inference config")->capture_default_str();
  verb->add_option("--max-new-tokens", options->max_new_tokens, "stop after so many [as many as max_length leaves]");
  verb->add_option("--seed", options->seed, "of the sampling")->capture_default_str();
  verb->add_flag("--greedy", options->greedy, "always the most probable token");
  verb->add_option("--dtype", options->dtype, "fp32, bf16 or auto")->capture_default_str();
  verb->add_option("--device", options->device, "auto, mps, cuda or cpu [the config's]");
  verb->add_option("--set", options->set, "KEY=VALUE of the config, such as generation.temperature=1.0")->take_all();
  verb->callback([options] { run(*options); });
}

}  // namespace bench::harness
