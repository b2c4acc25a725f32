#include "harness/host/machine.h"

#include "harness/core/embedded.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace bench::harness {
namespace {

constexpr const char* kFolder = "configs/machines";

}  // namespace

void Figure::validate(const Require& require) const {
  require(value >= 0, "value", "must not be negative", "0 means: not known");
  require(value == 0 || !source.empty(), "source", "is missing", "a number counts only with its source");
}

void LaunchTimes::validate(const Require& require) const {
  require(known() == (low.value > 0) && known() == (high.value > 0), "likely", "stands alone",
          "give low, likely and high, or none of them");
  require(low.value <= likely.value && likely.value <= high.value, "likely", "must lie between low and high", "");
}

void Machine::validate(const Require& require) const {
  require(!name.empty(), "name", "is missing", "");
  require(!match.empty(), "match", "is missing", "such as 'Apple M4 Max'");
  require(!device.empty(), "device", "is missing", "`bench list devices` shows them");
  require(memory_bytes.value > 0, "memory_bytes", "is missing", "");
  require(memory_gb_per_s.value > 0, "memory_gb_per_s", "is missing", "");
  require(memory_share.value <= 1, "memory_share.value", "must not exceed 1", "it is a share of memory_gb_per_s");
  require(usable_memory_share.value <= 1, "usable_memory_share.value", "must not exceed 1", "");
  require(fp32_tflops.flops_per_s() > 0, "fp32_tflops", "has neither `best` nor `on_paper`", "");
}

const MatmulRates& Machine::rates(const std::string& dtype) const {
  return dtype == "fp32" ? fp32_tflops : dtype == "fp16" ? fp16_tflops : bf16_tflops;
}

std::vector<std::string> machine_names() {
  std::set<std::string> names;
  const std::string prefix = std::string(kFolder) + "/";
  for (const auto& file : embedded_files())
    if (file.path.starts_with(prefix)) names.insert(std::filesystem::path(file.path).stem().string());
  std::error_code none;  // outside the repository there is no such folder
  for (const auto& entry : std::filesystem::directory_iterator(kFolder, none))
    if (entry.path().extension() == ".yaml") names.insert(entry.path().stem().string());
  return {names.begin(), names.end()};
}

std::vector<Machine> known_machines() {
  std::vector<Machine> machines;
  for (const auto& name : machine_names()) machines.push_back(read_machine(name, name));
  return machines;
}

bool is_processor_name(const std::string& text, const std::vector<std::string>& names) {
  const auto comma = text.rfind(", ");
  const bool with_cores = comma != std::string::npos && text.ends_with(" cores") &&
                          text.find_first_not_of("0123456789", comma + 2) == text.size() - std::string(" cores").size();
  const auto has = [&](const std::string& part) {
    return std::ranges::any_of(names, [&](const auto& name) { return name.find(part) != std::string::npos; });
  };
  return has(text) || (with_cores && has(text.substr(0, comma)));
}

Machine read_machine(const std::string& name, const std::string& where) {
  const auto known = machine_names();
  if (std::ranges::find(known, name) == known.end())
    throw Error(where, fmt::format("unknown machine '{}'", name), unknown_name_hint(name, known));
  const std::string file = fmt::format("{}/{}.yaml", kFolder, name);
  const YamlNode root = YamlNode::load(file);
  Machine machine = read_config<Machine>(root);
  if (machine.name != name) throw root.child("name").error(fmt::format("is not the file's, '{}'", name));
  return machine;
}

}  // namespace bench::harness
