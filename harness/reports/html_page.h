#pragma once

#include <ostream>
#include <string>

namespace bench::harness {

/// The beginning of a page that stands alone: no network, no scripts (the page itself forbids them), light and dark,
/// from a phone's width on, without a need for colours.
void begin_page(const std::string& title, std::ostream& out);
void end_page(std::ostream& out);

}  // namespace bench::harness
