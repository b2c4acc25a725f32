#include "harness/checkpoints.h"
#include "harness/cli/verbs.h"
#include "harness/core/fields.h"
#include "harness/core/files.h"
#include "harness/core/progress.h"
#include "harness/devices/device.h"
#include "harness/perplexity.h"
#include "harness/quantization_cost.h"
#include "model/checkpoint.h"

#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::vector<std::string> checkpoints;
  std::string text, tokens, dtype = "fp32", device = "auto", quantize = "none", json;
  PerplexityOptions perplexity;
};

/// How to score, once the options are known to be right.
struct Scoring {
  const Device& device;
  torch::Dtype dtype;
  model::Quantization quantization;
};

struct Scored {
  std::string checkpoint;
  TokenStream tokens;
  PerplexityResult result;
  std::optional<QuantizationCost> cost;
};

TokenStream load_tokens(const Options& options, const std::string& checkpoint, std::int64_t vocab_size) {
  if (!options.tokens.empty()) return raw_tokens(options.tokens, vocab_size);
  const auto tokenizer = checkpoint_tokenizer(checkpoint);
  if (!tokenizer) throw Error(checkpoint, fmt::format("has no {}", kTokenizerFile), "score raw ids with --tokens FILE");
  tokenizer->check_fits(vocab_size);
  return text_tokens(options.text, *tokenizer, /*threads=*/2);
}

/// Before gigabytes of weights are read.
Scoring check_options(const Options& options) {
  if (options.text.empty() == options.tokens.empty())
    throw Error("bench ppl", "needs --text FILE or --tokens FILE", "one of the two");
  check_options(options.perplexity, "--");
  const Scoring scoring{find_device(options.device, "--device"), dtype_named(options.dtype, "--dtype"),
                        quantization_named(options.quantize, "--quantize")};
  for (const auto& checkpoint : options.checkpoints)
    if (std::filesystem::exists(std::filesystem::path(checkpoint) / "config.json"))  // else opening says what is wrong
      check_context(options.perplexity, model::read_checkpoint_config(checkpoint).max_seq_length, "--context");
  return scoring;
}

Scored score(const Options& options, const std::string& checkpoint, const Scoring& scoring) {
  model::LanguageModel model = open_checkpoint(checkpoint, scoring.dtype, scoring.device.torch_device());
  Scored scored{checkpoint, load_tokens(options, checkpoint, model->config().vocab_size), {}, {}};
  if (scoring.quantization != model::Quantization::kNone) {
    model::LanguageModel base = open_checkpoint(checkpoint, model->compute_dtype(), scoring.device.torch_device());
    model->quantize(scoring.quantization);
    scored.cost = measure_quantization_cost(base, model, quality_tokens(scored.tokens.ids));
  }
  std::unique_ptr<Progress> progress;
  scored.result =
      measure_perplexity(model, scored.tokens, options.perplexity, [&](std::int64_t done, std::int64_t windows) {
        if (!progress) progress = std::make_unique<Progress>(checkpoint, windows, "windows");
        progress->update(done);
      });
  return scored;
}

Json to_json(const Scored& scored) {
  const PerplexityResult& r = scored.result;
  Json json = {{"checkpoint", scored.checkpoint},
               {"tokens", scored.tokens.source},
               {"perplexity", number_or_null(r.perplexity())},
               {"nll_nats", number_or_null(r.nll_nats)},
               {"scored_tokens", r.scored_tokens},
               {"bits_per_byte", number_or_null(r.bits_per_byte())},
               {"window_nll_nats", r.window_nll_nats},
               {"window_tokens", r.window_tokens}};
  if (scored.cost)
    json["quantization"] = {{"perplexity_ratio", number_or_null(scored.cost->perplexity_ratio())},
                            {"kl_divergence_nats", number_or_null(scored.cost->kl_divergence_nats)},
                            {"same_top_share", scored.cost->same_top_share},
                            {"tokens", scored.cost->tokens}};
  return json;
}

void print(const Scored& scored) {
  const PerplexityResult& r = scored.result;
  const std::string bits = r.text_bytes > 0 ? fmt::format(", {:.4f} bits per byte", r.bits_per_byte()) : "";
  std::cout << fmt::format("{}: perplexity {:.4f} (nll {:.6f} nats per token, {} tokens{})\n", scored.checkpoint,
                           r.perplexity(), r.nll_nats / static_cast<double>(r.scored_tokens), r.scored_tokens, bits);
  if (scored.cost) std::cout << fmt::format("  what quantising costs: {}\n", scored.cost->text());
}

/// Each further checkpoint against the first, on the same tokens.
Json print_differences(const std::vector<Scored>& all) {
  Json rows = Json::array();
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (!torch::equal(all[0].tokens.ids, all[i].tokens.ids)) {
      std::cout << fmt::format("{} and {} have different tokenizers: compare bits per byte\n", all[0].checkpoint,
                               all[i].checkpoint);
      continue;
    }
    const Estimate d = paired_difference(all[0].result, all[i].result);
    std::cout << fmt::format(
        "{} - {}: {:+.6f} nats per token, 95 % interval [{:+.6f}, {:+.6f}], perplexity ratio {:.5f} [{:.5f}, {:.5f}]\n",
        all[i].checkpoint, all[0].checkpoint, d.value, d.low, d.high, std::exp(d.value), std::exp(d.low),
        std::exp(d.high));
    rows.push_back({{"base", all[0].checkpoint},
                    {"checkpoint", all[i].checkpoint},
                    {"nats_per_token", number_or_null(d.value)},
                    {"low", number_or_null(d.low)},
                    {"high", number_or_null(d.high)},
                    {"windows", d.n}});
  }
  return rows;
}

void run(const Options& options) {
  const Scoring scoring = check_options(options);
  scoring.device.prepare();
  std::vector<Scored> all;
  for (const auto& checkpoint : options.checkpoints) {
    all.push_back(score(options, checkpoint, scoring));
    print(all.back());
  }
  std::cout << fmt::format("protocol: {}, {}, quantize {}\n", options.perplexity.text(), options.dtype,
                           options.quantize);
  const Json differences = print_differences(all);
  if (options.json.empty()) return;
  Json json = {{"schema", "bench-ppl/1"},       {"protocol", options.perplexity.text()}, {"dtype", options.dtype},
               {"device", scoring.device.name}, {"quantize", options.quantize},          {"results", Json::array()},
               {"differences", differences}};
  for (const auto& scored : all) json["results"].push_back(to_json(scored));
  write_file_atomically(options.json, dumped(json, 1) + "\n");
}

}  // namespace

void add_ppl(CLI::App& app, Exit&) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      app.add_subcommand("ppl", "Perplexity of checkpoints on a text or on token ids; several are compared in pairs");
  verb->add_option("checkpoints", options->checkpoints, "Hugging Face folders")->required();
  auto* text = verb->add_option("--text", options->text,
                                "UTF-8 text, one paragraph a line, for each checkpoint's own tokenizer");
  verb->add_option("--tokens", options->tokens, "raw little-endian int32 ids")->excludes(text);
  verb->add_option("--protocol", options->perplexity.protocol, "disjoint or strided")->capture_default_str();
  verb->add_option("--context", options->perplexity.context, "tokens of one window")->capture_default_str();
  verb->add_option("--stride", options->perplexity.stride, "from one window to the next (strided) [half the context]");
  verb->add_option("--dtype", options->dtype, "fp32 or bf16")->capture_default_str();
  verb->add_option("--quantize", options->quantize,
                   "score the weights as whole numbers (none, int8, int4) and say what that costs")
      ->capture_default_str();
  verb->add_option("--device", options->device, "auto, mps, cuda or cpu")->capture_default_str();
  verb->add_option("--json", options->json, "also write the result, window by window");
  verb->callback([options] { run(*options); });
}

}  // namespace bench::harness
