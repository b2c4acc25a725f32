#pragma once

#include "harness/core/fields.h"

#include <map>
#include <string>
#include <vector>

namespace bench::harness {

/// Samples of one quantity in the order in which they were taken.
struct Series {
  std::string unit;
  std::vector<double> samples;
};

/// The raw facts that one case leaves: nothing in it is computed from something else in it.
struct Record {
  enum class Status { kOk, kSkipped, kError };

  std::string name;  // unique in its suite
  std::string type;  // a row of cases/cases.cpp
  Json config;       // the effective config
  Status status = Status::kOk;
  std::string reason, hint;  // of a case that was skipped or failed
  std::map<std::string, Series> series;
  std::map<std::string, double> facts;
  std::map<std::string, std::string> notes;
  double wall_s = 0;

  void add(const std::string& series_name, const char* unit, double sample);
  /// The samples, empty when there are none of that name.
  const std::vector<double>& samples(const std::string& series_name) const;
  /// The fact, or NaN.
  double fact(const std::string& fact_name) const;
};

Json to_json(const Record& record);
/// Throws Error at `where` if the JSON isn't a record.
Record record_from_json(const Json& json, const std::string& where);

const char* status_name(Record::Status status);

}  // namespace bench::harness
