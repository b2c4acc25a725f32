#include "harness/suite.h"

#include <set>

namespace bench::harness {
namespace {

CaseSpec read_case(const YamlNode& node) {
  CaseSpec spec;
  FieldReader reader(node);
  reader.read(spec);
  reader.check(spec);
  spec.config = find_case_type(spec.type)->read(reader);
  reader.finish();
  return spec;
}

/// On the command line a case goes by its name: cases.train.steps means cases[0].steps.
void name_overrides(const YamlNode& cases, Overrides& overrides) {
  for (std::size_t i = 0; i < cases.yaml().size(); ++i) {
    const YamlNode name = cases.element(i).child("name");
    if (name.defined() && name.yaml().IsScalar())
      overrides.rename_prefix("cases." + name.yaml().Scalar() + ".", fmt::format("cases[{}].", i));
  }
}

}  // namespace

void CaseSpec::validate(const Require& require) const {
  require(!name.empty(), "name", "is missing", "");
  require(name.find('/') == std::string::npos, "name", "must not have a slash in it", "");
  require(!type.empty(), "case", "is missing", unknown_name_hint("", case_type_names()));
  require(find_case_type(type) != nullptr, "case", fmt::format("unknown case type '{}'", type),
          unknown_name_hint(type, case_type_names()));
  require(budget_s > 0, "budget_s", "must be positive", "");
}

Suite read_suite(const std::string& file, const std::vector<std::string>& assignments) {
  const auto overrides = std::make_shared<Overrides>(assignments);
  const YamlNode root = YamlNode::load(file, overrides);
  Suite suite;
  FieldReader reader(root);
  reader.read(suite);
  reader.allow("cases");
  reader.finish();
  const YamlNode cases = root.child("cases");
  if (suite.name.empty() || suite.name.find('/') != std::string::npos || suite.name[0] == '.')
    throw root.child("name").error("must be a plain word: it is the folder of the results");
  if (!cases.defined() || !cases.yaml().IsSequence() || cases.yaml().size() == 0)
    throw cases.error("expected a list of cases", "nothing to run is never a success");
  name_overrides(cases, *overrides);
  std::set<std::string> names;
  for (std::size_t i = 0; i < cases.yaml().size(); ++i) {
    suite.cases.push_back(read_case(cases.element(i)));
    if (!names.insert(suite.cases.back().name).second)
      throw cases.element(i).child("name").error(fmt::format("'{}' is the name of two cases", suite.cases.back().name));
  }
  overrides->check_all_used();
  return suite;
}

}  // namespace bench::harness
