// What documents say about the options, written from the table: a test compares them with what is
// checked in, and `./dev docs` writes them afresh. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace chatd::config {

// docs/examples/chatd.toml: every option, commented out, at its default.
std::string example_file();

// For the manual page, in man(7): flags, and what each may be.
std::string manual_options();

// For docs/reference/options.md: a Markdown table for each section.
std::string options_table();

// For the completions of the shells, one line a flag: the words that it takes. chatctl sets the log
// level as well.
std::string bash_values();  // chatd:--gso) echo 'off auto' ;;
std::string zsh_values();   // chatd:--gso) action='(off auto)' ;;

// For the fuzzer's dictionary: sections, keys and words.
std::string fuzzer_words();

// For the package: what the kernel must allow, and what systemd must ask for, so that sockets get
// the buffers that chatd asks for by default (sysctl.d(5), systemd.socket(5)).
std::string kernel_buffer_limits();
std::string socket_unit_buffers();

// `document` with `text` in the place of what stands between two lines: one that holds
// "NAME: begin", and one that holds "NAME: end". An error says which one is missing.
tl::expected<std::string, std::string> between_markers(std::string_view document,
                                                       const std::string& name,
                                                       std::string_view text);

}  // namespace chatd::config
