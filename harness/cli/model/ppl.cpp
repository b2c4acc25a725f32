#include "harness/checkpoints/checkpoints.h"
#include "harness/cli/model/bos_choice.h"
#include "harness/cli/model/ppl_text.h"
#include "harness/cli/verbs.h"
#include "harness/core/fields.h"
#include "harness/core/files.h"
#include "harness/core/progress.h"
#include "harness/data/text_bytes.h"
#include "harness/data/token_files.h"
#include "harness/devices/device.h"
#include "harness/devices/device_names.h"
#include "harness/evaluation/perplexity.h"
#include "harness/evaluation/quantization_cost.h"
#include "model/checkpoint.h"

#include <algorithm>
#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::vector<std::string> checkpoints;
  std::string text, tokens, tokens_dtype = "auto", protocol = "disjoint", dtype = "fp32", device = "auto",
                            quantize = "none", json;
  PerplexityOptions perplexity;
  BosChoice bos;
  bool allow_lossy = false;
};

/// How to score, once the options are known to be right.
struct Scoring {
  const Device& device;
  torch::Dtype dtype;
  model::Quantization quantization;
  PerplexityOptions perplexity;
  TokensDtype tokens_dtype;
};

/// Checks the options before gigabytes of weights are read.
Scoring check_options(const Options& options) {
  if (options.text.empty() == options.tokens.empty())
    throw Error("bench ppl", "needs --text FILE or --tokens FILE", "one of the two");
  PerplexityOptions perplexity = options.perplexity;
  perplexity.protocol = Protocol::read(options.protocol, "--protocol", "protocol");
  check_options(perplexity, "--");
  const Scoring scoring{find_device(options.device, "--device"), dtype_named(options.dtype, "--dtype"),
                        quantization_named(options.quantize, "--quantize"), perplexity,
                        TokensDtype::read(options.tokens_dtype, "--tokens-dtype", "dtype")};
  for (const auto& checkpoint : options.checkpoints)
    if (std::filesystem::exists(std::filesystem::path(checkpoint) / "config.json"))  // else opening says what is wrong
      check_context(perplexity, model::read_checkpoint_config(checkpoint).max_seq_length, "--context");
  return scoring;
}

/// A checkpoint with the tokens that it is to be scored on.
Scored load_tokens(const Options& options, const Scoring& scoring, const std::string& checkpoint) {
  verify_checkpoint(checkpoint, /*training_state=*/false);
  const std::int64_t vocab_size = model::read_checkpoint_config(checkpoint).vocab_size;
  if (!options.tokens.empty())
    return {checkpoint, "", token_file(options.tokens, vocab_size, scoring.tokens_dtype), {}, {}};
  const CheckpointTokenizer tokenizer = checkpoint_tokenizer(checkpoint, options.bos.choice());
  tokenizer.tokenizer->check_fits(vocab_size);
  return {
      checkpoint, tokenizer.assumed, text_tokens_with_bytes(options.text, *tokenizer.tokenizer, /*threads=*/2), {}, {}};
}

/// Checkpoints with different tokens are compared by bits per byte, which are wrong if the tokenizer changed the text.
void check_comparable(const std::vector<Scored>& all, bool allow_lossy) {
  const bool same =
      std::ranges::all_of(all, [&](const auto& scored) { return torch::equal(scored.tokens.ids, all[0].tokens.ids); });
  if (same || allow_lossy) return;
  for (const auto& scored : all)
    if (scored.tokens.text && !scored.tokens.text->lossy().empty())
      throw Error(scored.checkpoint,
                  fmt::format("{}, so its bits per byte are those of another text", scored.tokens.text->lossy()),
                  "--allow-lossy compares them all the same");
}

void score(const Scoring& scoring, Scored& scored) {
  model::LanguageModel model =
      model::load_checkpoint(scored.checkpoint, scoring.dtype, scoring.device.torch_device());  // verified above
  if (scoring.quantization != model::Quantization::kNone) {
    model::LanguageModel base = open_checkpoint(scored.checkpoint, model->compute_dtype(), model->device());
    model->quantize(scoring.quantization);
    scored.cost = measure_quantization_cost(base, model, quality_tokens(scored.tokens.ids));
  }
  std::unique_ptr<Progress> progress;
  scored.result =
      measure_perplexity(model, scored.tokens, scoring.perplexity, [&](std::int64_t done, std::int64_t windows) {
        if (!progress) progress = std::make_unique<Progress>(scored.checkpoint, windows, "windows");
        progress->update(done);
      });
}

Json to_json(const Options& options, const Scoring& scoring, const std::vector<Scored>& all, const Json& differences) {
  Json json = {{"schema", "bench-ppl/1"},       {"protocol", scoring.perplexity.text()}, {"dtype", options.dtype},
               {"device", scoring.device.name}, {"quantize", options.quantize},          {"results", Json::array()},
               {"differences", differences}};
  for (const auto& scored : all) json["results"].push_back(to_json(scored));
  return json;
}

Exit run(const Options& options) {
  const Scoring scoring = check_options(options);
  scoring.device.prepare();
  std::vector<Scored> all;
  for (const auto& checkpoint : options.checkpoints) all.push_back(load_tokens(options, scoring, checkpoint));
  check_comparable(all, options.allow_lossy);
  for (auto& scored : all) {
    score(scoring, scored);
    print(scored, std::cout);
  }
  std::cout << fmt::format("protocol: {}, {}, quantize {}\n", scoring.perplexity.text(), options.dtype,
                           options.quantize);
  const Json differences = print_differences(all, std::cout);
  if (!options.json.empty())
    write_file_atomically(options.json, dumped(to_json(options, scoring, all, differences), 1) + "\n");
  Exit exit = Exit::kOk;
  for (const auto& scored : all)
    if (const std::string why = why_not_finite(scored, scoring.perplexity); !why.empty()) {
      std::cerr << why << "\n";
      exit = Exit::kGateFailed;
    }
  return exit;
}

}  // namespace

void add_ppl(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      app.add_subcommand("ppl", "Perplexity of checkpoints on a text or on token ids; several are compared in pairs");
  verb->add_option("checkpoints", options->checkpoints, "Hugging Face folders")->required();
  auto* text = verb->add_option("--text", options->text,
                                "UTF-8 text, one paragraph a line, for each checkpoint's own tokenizer");
  verb->add_option("--tokens", options->tokens, "token ids: a .npy, or raw little-endian ones")->excludes(text);
  verb->add_option("--tokens-dtype", options->tokens_dtype, "of raw ids: uint16, int32 or int64 [int32]");
  options->bos.add_to(*verb);
  verb->add_flag("--allow-lossy", options->allow_lossy,
                 "compare bits per byte also where a tokenizer changes the text");
  verb->add_option("--protocol", options->protocol, "disjoint or strided")->capture_default_str();
  verb->add_option("--context", options->perplexity.context, "tokens of one window")->capture_default_str();
  verb->add_option("--stride", options->perplexity.stride, "from one window to the next (strided) [half the context]");
  verb->add_option("--dtype", options->dtype, "fp32 or bf16")->capture_default_str();
  verb->add_option("--quantize", options->quantize,
                   "score quantized weights (none, int8, int4) and say what that costs")
      ->capture_default_str();
  verb->add_option("--device", options->device, device_choices())->capture_default_str();
  verb->add_option("--json", options->json, "also write the result, window by window");
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace bench::harness
