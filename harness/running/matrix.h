#pragma once

#include "harness/core/yaml_node.h"

#include <string>
#include <vector>

namespace bench::harness {

/// A key of a case with the values that it takes in turn.
struct MatrixAxis {
  std::string key;                  // model.num_layers means num_layers of the model
  std::vector<std::string> values;  // as YAML has them
};

/// Reads an axis from the command line, such as "batch=1,4". Throws Error if it is malformed.
MatrixAxis parse_axis(const std::string& text);

/// Returns the cases that a case with a matrix stands for, one for each combination of the axes' values:
///
///     - name: decode
///       case: decode
///       matrix: {batch: [1, 4], prompt_tokens: [128, 512]}
///
/// stands for four cases: decode-batch:1-prompt_tokens:128 and so on. In all texts of the case, also in its name,
/// ${{batch}} is replaced by the value of that axis. An axis that is used in this way, and is no key of the case, sets
/// nothing else. A gate with only: {batch: 4} belongs only to the cases with that value. A case without a matrix stands
/// for itself. `more`: further axes.
///
/// Throws Error at the place of an axis without values, of more than 200 cases, or of a placeholder that is no axis.
std::vector<YamlNode> expand_matrix(const YamlNode& node, const std::vector<MatrixAxis>& more = {});

/// Whether some text of the case has ${{axis}}.
bool has_placeholder(const YamlNode& node, const std::string& axis);

}  // namespace bench::harness
