#pragma once

#include "harness/core/yaml_node.h"

#include <string>
#include <vector>

namespace bench::harness {

/// A key of a case with the values that it takes in turn.
struct Axis {
  std::string key;                  // model.num_layers means num_layers of the model
  std::vector<std::string> values;  // as YAML has them
};

/// "batch=1,4" of the command line. Throws Error.
Axis parse_axis(const std::string& text);

/// The cases that a case with a matrix stands for, one for each combination of the axes' values:
///
///     - name: decode
///       case: decode
///       matrix: {batch: [1, 4], prompt_tokens: [128, 512]}
///
/// is four cases, decode-batch:1-prompt_tokens:128 and so on. Wherever a text of the case has ${{batch}} the value
/// stands, in its name too; an axis that is used so and is no key of the case is only that. A gate with
/// only: {batch: 4} is one of those cases alone. A case without a matrix stands for itself. `more`: further axes.
/// Throws Error at the place of an axis without values, of more than 200 cases, of a placeholder that is no axis.
std::vector<YamlNode> expand_matrix(const YamlNode& node, const std::vector<Axis>& more = {});

/// Whether some text of the case has ${{axis}}.
bool has_placeholder(const YamlNode& node, const std::string& axis);

}  // namespace bench::harness
