#pragma once

#include "harness/reports/axis.h"

#include <string>
#include <vector>

namespace bench::harness {

struct Point {
  double x = 0, y = 0;
};

/// How a point is drawn; shapes differ, so that no reader depends on colours.
enum class Mark { kDot, kRing, kCross, kSquare, kTriangle };

/// A plot as static SVG, styled by the page's CSS. Lines and marks belong to a numbered series, which chooses colour
/// and dash.
class Chart {
 public:
  static constexpr double kWidth = 320;  // in units of the drawing: a phone's width, so that text stays legible there

  Chart(std::string title, Axis x, Axis y, double height = 230);

  /// Points that aren't finite, or lie far outside of the axes, break the line.
  void line(const std::vector<Point>& points, int series);
  void marks(const std::vector<Point>& points, Mark mark, int series);
  /// One mark with a text that shows when the pointer rests on it.
  void mark(Point point, Mark mark, int series, const std::string& tooltip);
  /// A bar from the left edge to the value.
  void bar_x(double value, double y, int series);
  /// A line between two values with a stroke across it at a third; what lies beyond the chart is cut off.
  void interval_x(double low, double value, double high, double y);
  void interval_y(double low, double value, double high, double x, int series);
  /// Draws what a gate demands, or a machine allows, as a line across the whole chart.
  void limit_x(double x, const std::string& text);
  void limit_y(double y, const std::string& text);
  /// An event: a vertical line with text at its upper end.
  void event_x(double x, const std::string& text);
  void text(Point at, const std::string& text);

  /// These add entries to the legend.
  void explain_line(int series, const std::string& text);
  void explain_mark(Mark mark, int series, const std::string& text);
  void explain_bar(int series, const std::string& text);
  void explain_interval(const std::string& text);
  void explain_limit(const std::string& text);
  /// Adds a sentence below the chart.
  void note(const std::string& text);

  /// The chart with its title, legend and notes.
  std::string figure() const;

 private:
  double left() const { return left_; }
  double right() const { return kWidth - 10; }
  double top() const { return 16; }
  double bottom() const { return height_ - 36; }
  double place_x(double value) const;
  double place_y(double value) const;
  void label(double x, double y, const char* anchor, const std::string& text);
  void label_above(double x, const std::string& text);
  void key(const std::string& drawing, const std::string& text);
  std::string frame() const;

  std::string title_;
  Axis x_, y_;
  double height_, left_;
  std::string body_, legend_, notes_;
};

/// Returns at most `most` of the indices below n: evenly spread, the first and the last among them.
std::vector<std::size_t> thinned(std::size_t n, std::size_t most);

}  // namespace bench::harness
