// Writes what files say about options (reference.h) and metrics: chatd_reference SOURCE_DIRECTORY
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "server/admin/documents.h"
#include "server/config/reference.h"

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

bool write(const fs::path& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  out.close();
  if (out) return true;
  std::fprintf(stderr, "chatd_reference: %s cannot be written\n", file.c_str());
  return false;
}

bool write_between_markers(const fs::path& file, const char* name, const std::string& text) {
  const auto whole = chatd::config::between_markers(read(file), name, text);
  if (whole) return write(file, *whole);
  std::fprintf(stderr, "chatd_reference: %s: %s\n", file.c_str(), whole.error().c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  namespace config = chatd::config;
  if (argc != 2) {
    std::fputs("usage: chatd_reference SOURCE_DIRECTORY\n", stderr);
    return 2;
  }
  const fs::path root = argv[1];
  const fs::path reference = root / "docs/reference";
  const fs::path completions = root / "cmake/package/completions";
  bool all = write(root / "docs/examples/chatd.toml", config::example_file());
  all &= write_between_markers(reference / "man/chatd.8", "options", config::manual_options());
  all &= write_between_markers(reference / "options.md", "options", config::options_table());
  all &= write_between_markers(reference / "metrics.md", "metrics", chatd::metrics_table());
  all &= write_between_markers(completions / "chatd.bash", "values", config::bash_values());
  all &= write_between_markers(completions / "_chatd", "values", config::zsh_values());
  const fs::path units = root / "server/systemd";
  all &= write_between_markers(units / "chatd.sysctl", "buffers", config::kernel_buffer_limits());
  all &= write_between_markers(units / "chatd.socket", "buffers", config::socket_unit_buffers());
  all &= write_between_markers(root / "tests/fuzz/dictionaries/config_file.dict", "options",
                               config::fuzzer_words());
  return all ? 0 : 1;
}
