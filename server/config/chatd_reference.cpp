// Writes what documents say about options (reference.h) and metrics: chatd_reference DOCS_DIRECTORY
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "server/admin/metrics.h"
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
  if (argc != 2) {
    std::fputs("usage: chatd_reference DOCS_DIRECTORY\n", stderr);
    return 2;
  }
  const fs::path docs = argv[1];
  const bool example = write(docs / "examples/chatd.toml", chatd::config::example_file());
  const bool manual = write_between_markers(docs / "reference/man/chatd.8", "options",
                                            chatd::config::manual_options());
  const bool page = write_between_markers(docs / "reference/options.md", "options",
                                          chatd::config::options_table());
  const bool metrics =
      write_between_markers(docs / "reference/metrics.md", "metrics", chatd::metrics_table());
  return example && manual && page && metrics ? 0 : 1;
}
