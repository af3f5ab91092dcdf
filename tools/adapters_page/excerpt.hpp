// Texts as Markdown shows them.
#pragma once

#include <string>
#include <string_view>

#include "bencher/base/result.hpp"

namespace bencher::tools {

/// Some lines of a text, none of them long; `…` stands for what is left out. They begin with the first line that holds
/// `from`, or with the first that is not empty. Error: `from` is not there.
Result<std::string> excerpt(std::string_view text, std::string_view from);
/// The same from the beginning.
std::string excerpt(std::string_view text);
/// As a block of code, without a line feed at its end.
std::string block(std::string_view text, std::string_view language);
/// The language of such a block, by a file's name.
std::string_view language_of(std::string_view file);

}  // namespace bencher::tools
