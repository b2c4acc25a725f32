#pragma once

#include <ostream>
#include <string>

namespace bench::harness {

/// Writes the beginning of a page that stands alone: it uses no network and no scripts (the page itself forbids them).
/// It works in light and dark, from a phone's width on, and can be read without colours.
void begin_page(const std::string& title, std::ostream& out);
void end_page(std::ostream& out);

}  // namespace bench::harness
