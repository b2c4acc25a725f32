#include "harness/selftest/selftest.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"
#include "harness/devices/current_environment.h"
#include "harness/selftest/probes.h"
#include "model/error_text.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bench::harness {
namespace {

constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();

ProbeResult run_probe(const Probe& probe, const Device& device) {
  ProbeResult result{.probe = probe.name, .detail = {}};
  const double begin_s = now_s();
  try {
    const Finding finding = probe.run(device);
    device.synchronize();
    result.difference = finding.difference;
    result.tolerance = finding.tolerance;
    result.detail = finding.detail;
    result.passed = std::isfinite(finding.tolerance) && finding.difference <= finding.tolerance;  // false for NaN
  } catch (const std::exception& e) {
    result.difference = result.tolerance = kNotKnown;
    result.detail = model::error_text(e);
  }
  result.seconds = now_s() - begin_s;
  return result;
}

Json result_json(const ProbeResult& result) {
  Json json = to_json<ProbeResult>(result);
  if (const Probe* probe = find_probe(result.probe)) {
    json["meaning"] = probe->meaning;
    json["known"] = probe->known;
    json["advice"] = probe->advice;
  }
  return json;
}

}  // namespace

const Probe* find_probe(const std::string& name) {
  const auto found = std::ranges::find_if(probes(), [&](const Probe& probe) { return name == probe.name; });
  return found == probes().end() ? nullptr : &*found;
}

std::string ProbeResult::text() const {
  if (passed) return fmt::format("{}: passed", probe);
  if (std::isnan(tolerance)) return fmt::format("{}: {}", probe, detail);
  return fmt::format("{}: is off by {:.3g} (at most {:.3g}): {}", probe, difference, tolerance, detail);
}

SelfTestPlace selftest_place(const Device& device) {
  const Environment here = current_environment();
  return {device.name,        here.processor,
          here.model,         here.system,
          here.kernel,        device.driver_version(),
          here.torch_version, fmt::format("{} {}{}", here.bench_version, here.commit, here.dirty ? "-dirty" : "")};
}

bool SelfTest::passed() const { return results.size() == probes().size() && failed().empty(); }

std::vector<const ProbeResult*> SelfTest::failed() const {
  std::vector<const ProbeResult*> list;
  for (const auto& result : results)
    if (!result.passed) list.push_back(&result);
  return list;
}

double SelfTest::seconds() const {
  double sum = 0;
  for (const auto& result : results) sum += result.seconds;
  return sum;
}

std::string SelfTest::summary() const {
  if (passed()) return fmt::format("passed: {} probes in {:.1f} s", results.size(), seconds());
  std::vector<std::string> names;
  for (const ProbeResult* result : failed()) names.push_back(result->probe);
  if (names.empty()) return fmt::format("ended after {} of {} probes", results.size(), probes().size());
  return fmt::format("failed: {} of {} probes: {}", names.size(), probes().size(), fmt::join(names, ", "));
}

std::string SelfTest::reason() const {
  if (passed()) return "";
  std::vector<std::string> texts;
  for (const ProbeResult* result : failed()) texts.push_back(result->text());
  if (texts.empty()) return fmt::format("the self-test of {} {}", place.device, summary());
  return fmt::format("the self-test of {} failed: {}", place.device, fmt::join(texts, "; "));
}

std::string SelfTest::hint() const {
  std::vector<std::string> known, advice;
  const auto add = [](std::vector<std::string>& list, const std::string& text) {
    if (!text.empty() && std::ranges::find(list, text) == list.end()) list.push_back(text);
  };
  for (const ProbeResult* result : failed())
    if (const Probe* probe = find_probe(result->probe)) {
      add(known, probe->known);
      add(advice, probe->advice);
    }
  if (known.empty()) return fmt::format("{}", fmt::join(advice, "; "));
  return fmt::format("known: {}; {}", fmt::join(known, "; "), fmt::join(advice, "; "));
}

SelfTest run_selftest(const Device& device, const std::function<void(const SelfTest&)>& before_each) {
  device.prepare();
  SelfTest test{selftest_place(device), {}};
  for (const Probe& probe : probes()) {
    if (before_each) before_each(test);
    test.results.push_back(run_probe(probe, device));
  }
  if (before_each) before_each(test);
  return test;
}

Json to_json(const SelfTest& test) {
  Json json = {{"schema", kSelfTestSchema}};
  const Json place = to_json<SelfTestPlace>(test.place);
  for (const auto& [key, value] : place.items()) json[key] = value;
  json["passed"] = test.passed();
  json["summary"] = test.summary();
  json["seconds"] = test.seconds();
  json["probes"] = Json::array();
  for (const auto& result : test.results) json["probes"].push_back(result_json(result));
  return json;
}

SelfTest selftest_from_json(const Json& json, const std::string& where) {
  try {
    const auto schema = json.at("schema").get<std::string>();
    if (schema != kSelfTestSchema)
      throw Error(where, fmt::format("has schema '{}', this program reads '{}'", schema, kSelfTestSchema));
    SelfTest test;
    read_json(json, test.place);
    for (const auto& result : json.at("probes")) read_json(result, test.results.emplace_back());
    return test;
  } catch (const Json::exception& e) {
    throw Error(where, fmt::format("is not a self-test: {}", e.what()), "bench selftest --out writes self-tests");
  }
}

}  // namespace bench::harness
