#include "harness/record.h"

#include <array>
#include <limits>
#include <utility>

namespace bench::harness {
namespace {

constexpr std::array<std::pair<Record::Status, const char*>, 3> kStatusNames{
    {{Record::Status::kOk, "ok"}, {Record::Status::kSkipped, "skipped"}, {Record::Status::kError, "error"}}};

// JSON has no NaN: a number that isn't finite is written as null and read as NaN.
double number(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

Record::Status status_from(const std::string& name, const std::string& where) {
  for (const auto& [status, known] : kStatusNames)
    if (name == known) return status;
  throw Error(where, fmt::format("unknown case status '{}'", name));
}

}  // namespace

const char* status_name(Record::Status status) {
  for (const auto& [known, name] : kStatusNames)
    if (known == status) return name;
  return "?";
}

void Record::add(const std::string& series_name, const char* unit, double sample) {
  Series& target = series[series_name];
  target.unit = unit;
  target.samples.push_back(sample);
}

const std::vector<double>& Record::samples(const std::string& series_name) const {
  static const std::vector<double> none;
  const auto found = series.find(series_name);
  return found == series.end() ? none : found->second.samples;
}

double Record::fact(const std::string& fact_name) const {
  const auto found = facts.find(fact_name);
  return found == facts.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

Json to_json(const Record& record) {
  Json series = Json::object();
  for (const auto& [name, one] : record.series) series[name] = {{"unit", one.unit}, {"samples", one.samples}};
  return {{"name", record.name},     {"type", record.type},   {"status", status_name(record.status)},
          {"reason", record.reason}, {"hint", record.hint},   {"wall_s", record.wall_s},
          {"config", record.config}, {"facts", record.facts}, {"notes", record.notes},
          {"series", series}};
}

Record record_from_json(const Json& json, const std::string& where) {
  try {
    Record record;
    record.name = json.at("name").get<std::string>();
    record.type = json.at("type").get<std::string>();
    record.status = status_from(json.at("status").get<std::string>(), where);
    record.reason = json.at("reason").get<std::string>();
    record.hint = json.at("hint").get<std::string>();
    record.wall_s = number(json.at("wall_s"));
    record.config = json.at("config");
    for (const auto& [name, value] : json.at("facts").items()) record.facts[name] = number(value);
    for (const auto& [name, value] : json.at("notes").items()) record.notes[name] = value.get<std::string>();
    for (const auto& [name, one] : json.at("series").items()) {
      Series& target = record.series[name];
      target.unit = one.at("unit").get<std::string>();
      for (const auto& sample : one.at("samples")) target.samples.push_back(number(sample));
    }
    return record;
  } catch (const Json::exception& e) {
    throw Error(where, fmt::format("is not a case record: {}", e.what()));
  }
}

}  // namespace bench::harness
