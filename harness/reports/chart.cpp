#include "harness/reports/chart.h"

#include "harness/reports/text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr int kStyles = 4;  // of lines, in the page's CSS

constexpr double kFarAway = 1e4;  // units: nobody sees what lies there, and its digits could fill pages

/// A coordinate with a tenth of a unit, which is finer than a screen's pixel.
std::string number(double value) {
  std::string text = fmt::format("{:.1f}", std::isnan(value) ? 0 : std::clamp(value, -kFarAway, kFarAway));
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}
bool is_near(double x, double y) { return std::fabs(x) < kFarAway && std::fabs(y) < kFarAway; }  // no NaN is
std::string at(double x, double y) { return number(x) + " " + number(y); }

/// A mark as a part of a path. A dot is a line of no length with round ends: the shortest there is.
std::string shape(Mark mark, double x, double y) {
  switch (mark) {
    case Mark::kDot:
      return "M" + at(x, y) + "h.01";
    case Mark::kRing:
      return "M" + at(x - 2.5, y) + "a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0";
    case Mark::kCross:
      return "M" + at(x - 2.5, y - 2.5) + "l5 5m0-5l-5 5";
    case Mark::kSquare:
      return "M" + at(x - 2.5, y - 2.5) + "h5v5h-5z";
    case Mark::kTriangle:
      return "M" + at(x, y - 3) + "l3.5 6h-7z";
  }
  return "";
}

const char* css_class(Mark mark) {
  switch (mark) {
    case Mark::kDot:
      return "dot";
    case Mark::kRing:
    case Mark::kCross:
      return "open";
    case Mark::kSquare:
    case Mark::kTriangle:
      return "solid";
  }
  return "";
}

std::string path(const std::string& css, const std::string& d) {
  return d.empty() ? "" : fmt::format("<path class=\"{}\" d=\"{}\"/>", css, d);
}

/// Room for the longest text beside the vertical axis.
double left_margin(const Axis& y) {
  constexpr double kCharacter = 7, kGap = 8;
  std::size_t longest = 3;
  for (const auto& tick : y.ticks) longest = std::max(longest, columns(tick.text));
  return kGap + kCharacter * static_cast<double>(longest);
}

std::string interval_path(double from, double middle, double to, double across, bool horizontal) {
  constexpr double kHalf = 4;
  const auto point = [&](double along, double offset) {
    return horizontal ? at(along, across + offset) : at(across + offset, along);
  };
  return "M" + point(from, 0) + "L" + point(to, 0) + "M" + point(middle, -kHalf) + "L" + point(middle, kHalf);
}

}  // namespace

Chart::Chart(std::string title, Axis x, Axis y, double height)
    : title_(std::move(title)), x_(std::move(x)), y_(std::move(y)), height_(height), left_(left_margin(y_)) {}

double Chart::place_x(double value) const { return left() + x_.share(value) * (right() - left()); }
double Chart::place_y(double value) const { return bottom() - y_.share(value) * (bottom() - top()); }

void Chart::line(const std::vector<Point>& points, int series) {
  std::string d;
  bool drawing = false;
  for (const auto& [x, y] : points) {
    const double px = place_x(x), py = place_y(y);
    const bool near = is_near(px, py);
    if (near) d += (drawing ? "L" : "M") + at(px, py);
    drawing = near;
  }
  body_ += path(fmt::format("line g{}", series % kStyles), d);
}

void Chart::marks(const std::vector<Point>& points, Mark mark, int series) {
  std::string d;
  for (const auto& [x, y] : points) {
    const double px = place_x(x), py = place_y(y);
    if (is_near(px, py)) d += shape(mark, px, py);
  }
  body_ += path(fmt::format("{} g{}", css_class(mark), series % kStyles), d);
}

void Chart::mark(Point point, Mark mark, int series, const std::string& tooltip) {
  const double px = place_x(point.x), py = place_y(point.y);
  if (!is_near(px, py)) return;
  body_ += fmt::format("<path class=\"{} g{}\" d=\"{}\"><title>{}</title></path>", css_class(mark), series % kStyles,
                       shape(mark, px, py), escaped(tooltip));
}

void Chart::bar_x(double value, double y, int series) {
  constexpr double kHalf = 8;
  const double end = std::clamp(place_x(value), left(), right()), middle = place_y(y);
  body_ += path(fmt::format("bar g{}", series % kStyles), "M" + at(left(), middle - kHalf) + "H" + number(end) + "v" +
                                                              number(2 * kHalf) + "H" + number(left()) + "z");
}

void Chart::interval_x(double low, double value, double high, double y) {
  const auto inside = [&](double at) { return std::clamp(place_x(at), left(), right()); };
  body_ += path("interval", interval_path(inside(low), inside(value), inside(high), place_y(y), true));
}

void Chart::interval_y(double low, double value, double high, double x, int series) {
  const auto inside = [&](double at) { return std::clamp(place_y(at), top(), bottom()); };  // an end may be infinite
  body_ += path(fmt::format("whisker g{}", series % kStyles),
                interval_path(inside(low), inside(value), inside(high), place_x(x), false));
}

void Chart::label(double x, double y, const char* anchor, const std::string& text) {
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" class=\"{}\">{}</text>", number(x), number(y), anchor, escaped(text));
}

void Chart::label_above(double x, const std::string& text) {
  const double half = 3.4 * static_cast<double>(columns(text));
  const char* anchor = x - half < 0 ? "s" : x + half > kWidth ? "e" : "m";
  label(x, top() - 5, anchor, text);
}

void Chart::limit_x(double x, const std::string& text) {
  body_ += path("limit", "M" + at(place_x(x), top()) + "V" + number(bottom()));
  label_above(place_x(x), text);
}

void Chart::limit_y(double y, const std::string& text) {
  const double py = place_y(y);
  body_ += path("limit", "M" + at(left(), py) + "H" + number(right()));
  label(right() - 3, py < top() + 14 ? py + 12 : py - 4, "e", text);
}

void Chart::event_x(double x, const std::string& text) {
  body_ += path("event", "M" + at(place_x(x), top()) + "V" + number(bottom()));
  label_above(place_x(x), text);
}

void Chart::text(Point point, const std::string& text) {
  const double px = place_x(point.x);
  const bool near_the_edge = px > right() - 20;
  label(px + (near_the_edge ? -6 : 6), place_y(point.y) + 3.5, near_the_edge ? "e" : "s", text);
}

void Chart::key(const std::string& drawing, const std::string& text) {
  legend_ += fmt::format("<li><svg viewBox=\"0 0 26 12\">{}</svg>{}</li>", drawing, escaped(text));
}
void Chart::explain_line(int series, const std::string& text) {
  key(path(fmt::format("line g{}", series % kStyles), "M0 6H26"), text);
}
void Chart::explain_mark(Mark mark, int series, const std::string& text) {
  key(path(fmt::format("{} g{}", css_class(mark), series % kStyles), shape(mark, 13, 6)), text);
}
void Chart::explain_bar(int series, const std::string& text) {
  key(path(fmt::format("bar g{}", series % kStyles), "M0 1H26v10H0z"), text);
}
void Chart::explain_interval(const std::string& text) { key(path("interval", "M2 6H24M13 2V10"), text); }
void Chart::explain_limit(const std::string& text) { key(path("limit", "M0 6H26"), text); }
void Chart::note(const std::string& text) { notes_ += fmt::format("<p>{}</p>", escaped(text)); }

std::string Chart::frame() const {
  std::string grid, texts;
  for (const auto& tick : x_.ticks) {
    const double px = place_x(tick.at);
    grid += "M" + at(px, top()) + "V" + number(bottom());
    texts += fmt::format("<text x=\"{}\" y=\"{}\" class=\"m\">{}</text>", number(px), number(bottom() + 13),
                         escaped(tick.text));
  }
  for (const auto& tick : y_.ticks) {
    const double py = place_y(tick.at);
    grid += "M" + at(left(), py) + "H" + number(right());
    texts += fmt::format("<text x=\"{}\" y=\"{}\" class=\"e\">{}</text>", number(left() - 5), number(py + 3.5),
                         escaped(tick.text));
  }
  texts += fmt::format("<text x=\"{}\" y=\"{}\" class=\"m\">{}</text>", number((left() + right()) / 2),
                       number(height_ - 6), escaped(x_.label));
  return path("grid", grid) + path("frame", "M" + at(left(), top()) + "V" + number(bottom()) + "H" + number(right())) +
         texts;
}

std::string Chart::figure() const {
  std::string html = fmt::format("<figure><figcaption>{}</figcaption>", escaped(title_));
  if (!y_.label.empty()) html += fmt::format("<p class=\"unit\">{}</p>", escaped(y_.label));
  html += fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}{}</svg>", number(kWidth),
                      number(height_), escaped(title_), frame(), body_);
  if (!legend_.empty()) html += fmt::format("<ul>{}</ul>", legend_);
  return html + notes_ + "</figure>\n";
}

std::vector<std::size_t> thinned(std::size_t n, std::size_t most) {
  std::vector<std::size_t> indices;
  const std::size_t kept = std::min(n, std::max<std::size_t>(most, 2));
  for (std::size_t i = 0; i < kept; ++i) indices.push_back(kept == 1 ? 0 : i * (n - 1) / (kept - 1));
  return indices;
}

}  // namespace bench::harness
