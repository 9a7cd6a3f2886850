// Colours for names and a quieter shade for what is not said by anybody.
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace chatd::client {

class Style {
 public:
  explicit Style(bool coloured) : coloured_(coloured) {}

  // No colour when NO_COLOR is set and not empty (no-color.org).
  static Style from_environment();

  // `shown` in the colour that belongs to `name`: the same in every program and on every day.
  std::string name(std::string_view name, std::string_view shown) const;
  std::string quiet(std::string_view shown) const;

 private:
  std::string wrap(std::string_view codes, std::string_view shown) const;

  bool coloured_;
};

}  // namespace chatd::client
