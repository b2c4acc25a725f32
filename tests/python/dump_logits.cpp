// usage: dump_logits CHECKPOINT OUT.safetensors ID...    writes the fp32 logits [1, T, V] of those tokens as "logits"
#include "model/checkpoint.h"
#include "model/safetensors.h"

#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  using namespace bench::model;
  std::vector<std::int64_t> ids;
  for (int i = 3; i < argc; ++i) ids.push_back(std::atoll(argv[i]));
  const torch::NoGradGuard no_grad;
  LanguageModel model = load_checkpoint(argv[1], torch::kFloat32, torch::kCPU);
  write_safetensors(argv[2], {{"logits", model(torch::tensor(ids).unsqueeze(0))}});
}
