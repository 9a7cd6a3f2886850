#include "bench/instructions/measurement.h"

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace chatd::bench {
namespace {

namespace fs = std::filesystem;

// Goes away with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "chatd-instructions-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }  // empty: it could not be made

 private:
  fs::path path_;
};

// What the libraries choose by the machine they find themselves on is chosen for them: the same
// vector instructions for simdjson, and no `rep movsb` (one instruction of any length) for memcpy.
void pin_choices_of_libraries() {
  ::setenv("SIMDJSON_FORCE_IMPLEMENTATION", "haswell", 1);
  ::setenv("GLIBC_TUNABLES", "glibc.cpu.x86_rep_movsb_threshold=1000000000", 1);
}

tl::expected<void, std::string> run_valgrind(const std::string& program, const fs::path& out) {
  pin_choices_of_libraries();
  const std::string file = "--callgrind-out-file=" + out.string();
  std::array<std::string, 6> words = {"valgrind",           "--quiet", "--tool=callgrind",
                                      "--instr-atstart=no", file,      program};
  std::array<char*, 7> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();

  pid_t child = 0;
  const int error = ::posix_spawnp(&child, "valgrind", nullptr, nullptr, arguments.data(), environ);
  if (error == ENOENT) {
    return tl::unexpected(std::string("valgrind is not installed: apt-get install valgrind"));
  }
  if (error != 0) {
    return tl::unexpected("valgrind: " + std::generic_category().message(error));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return tl::unexpected(program + " has failed under valgrind; its own words are above");
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// What stands behind `start` in the line that begins with it.
std::optional<std::string_view> line_after(std::string_view text, std::string_view start) {
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    if (line.starts_with(start)) return line.substr(start.size());
    at += line.size() + 1;
  }
  return std::nullopt;
}

}  // namespace

std::optional<InstructionCount> parse_callgrind(std::string_view text) {
  const auto title = line_after(text, "desc: Trigger: Client Request: ");
  const auto total = line_after(text, "summary: ");
  if (!title || !total) return std::nullopt;
  const std::size_t mark = title->rfind(" x");
  if (mark == std::string_view::npos) return std::nullopt;
  const auto operations = parse_number<std::uint64_t>(title->substr(mark + 2));
  const auto instructions = parse_number<std::uint64_t>(*total);
  if (!operations || *operations == 0 || !instructions) return std::nullopt;
  return InstructionCount{
      .name = std::string(title->substr(0, mark)),
      .per_operation = static_cast<double>(*instructions) / static_cast<double>(*operations)};
}

tl::expected<std::vector<InstructionCount>, std::string> count_instructions(
    const std::string& program) {
  const TemporaryFolder folder;
  if (folder.path().empty()) {
    return tl::unexpected("no temporary folder: " + std::generic_category().message(errno));
  }
  if (const auto done = run_valgrind(program, folder.path() / "out"); !done) {
    return tl::unexpected(done.error());
  }
  // out.1, out.2, …, one for each request; `out` itself is what came after the last one.
  std::vector<InstructionCount> counts;
  for (int i = 1;; ++i) {
    std::ifstream in(folder.path() / ("out." + std::to_string(i)));
    if (!in) break;
    std::ostringstream text;
    text << in.rdbuf();
    if (const auto count = parse_callgrind(text.str())) counts.push_back(*count);
  }
  if (counts.empty()) return tl::unexpected(program + ": callgrind has counted nothing");
  return counts;
}

}  // namespace chatd::bench
