#include <simdjson.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <system_error>
#include <vector>

#include "bench/chatbench/report/formats.h"
#include "bench/chatbench/report/run_result_fields.h"

namespace chatd::bench {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// Fills a record's fields from an object. The first field at fault is remembered with its path, the
// rest is left as it is.
class FieldReader {
 public:
  explicit FieldReader(object source) : source_(source) {}

  template <class Field>
  void operator()(std::string_view key, Field& field) {
    if (error_) return;
    const std::size_t outer_bytes = path_.size();
    path_ += path_.empty() ? std::string(key) : "." + std::string(key);
    element value;
    if (source_[key].get(value) != simdjson::SUCCESS) {
      fail("is missing");
    } else {
      read(value, field);
    }
    path_.resize(outer_bytes);
  }

  const std::optional<std::string>& error() const { return error_; }

 private:
  void fail(const std::string& what) {
    if (!error_) error_ = path_ + " " + what;
  }

  void read(element value, std::uint64_t& number) {
    if (value.get(number) != simdjson::SUCCESS) fail("is not a whole number");
  }
  void read(element value, bool& flag) {
    if (value.get(flag) != simdjson::SUCCESS) fail("is neither true nor false");
  }
  void read(element value, double& number) {
    if (value.is_null()) {
      number = std::numeric_limits<double>::quiet_NaN();
    } else if (value.get(number) != simdjson::SUCCESS) {
      fail("is not a number");
    }
  }
  void read(element value, std::string& text) {
    std::string_view view;
    if (value.get(view) != simdjson::SUCCESS) return fail("is not a string");
    text = view;
  }
  void read(element value, LoopKind& kind) {
    std::string text;
    read(value, text);
    if (text != "open" && text != "closed") return fail("is neither \"open\" nor \"closed\"");
    kind = text == "open" ? LoopKind::kOpen : LoopKind::kClosed;
  }

  template <class Value>
  void read(element value, std::optional<Value>& field) {
    if (value.is_null()) {
      field.reset();
    } else {
      read(value, field.emplace());
    }
  }
  template <class Value>
  void read(element value, std::vector<Value>& values) {
    array elements;
    if (value.get(elements) != simdjson::SUCCESS) return fail("is not an array");
    values.clear();
    for (const element item : elements) read(item, values.emplace_back());
  }
  template <class Record>
  void read(element value, Record& record) {
    object inner;
    if (value.get(inner) != simdjson::SUCCESS) return fail("is not an object");
    const object outer = source_;
    source_ = inner;
    visit_fields(*this, record);
    source_ = outer;
  }

  object source_;
  std::string path_;
  std::optional<std::string> error_;
};

tl::expected<void, std::string> check_schema(object root) {
  std::string_view name;
  std::uint64_t version = 0;
  if (root["schema"].get(name) != simdjson::SUCCESS || name != kSchemaName ||
      root["schema_version"].get(version) != simdjson::SUCCESS) {
    return tl::unexpected(std::string("this is not a result of `chatbench run --json`"));
  }
  if (version != kSchemaVersion) {
    return tl::unexpected("written in version " + std::to_string(version) +
                          " of the format; this chatbench reads version " +
                          std::to_string(kSchemaVersion) +
                          ": repeat the run, or compare with the "
                          "chatbench that wrote it");
  }
  return {};
}

}  // namespace

tl::expected<RunResult, std::string> parse_json(std::string_view json) {
  simdjson::dom::parser parser;
  object root;
  const auto error = parser.parse(json.data(), json.size()).get(root);
  if (error != simdjson::SUCCESS) {
    return tl::unexpected(std::string("not a JSON object: ") + simdjson::error_message(error));
  }
  if (const auto known = check_schema(root); !known) return tl::unexpected(known.error());
  RunResult result;
  FieldReader reader(root);
  visit_fields(reader, result);
  if (reader.error()) return tl::unexpected(*reader.error());
  return result;
}

tl::expected<RunResult, std::string> load_json(const std::string& path) {
  const auto refuse = [&path] {
    return tl::unexpected(path + ": " + std::generic_category().message(errno));
  };
  std::ifstream in(path, std::ios::binary);
  if (!in) return refuse();
  // At most so much: a device has no end.
  constexpr std::size_t kMaxBytes = std::size_t{64} * 1024 * 1024;
  constexpr std::size_t kPieceBytes = 64 * 1024;
  std::string text;
  std::vector<char> piece(kPieceBytes);
  errno = 0;
  while (in.read(piece.data(), kPieceBytes) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxBytes) {
      return tl::unexpected(path + ": larger than any result of `chatbench run --json`");
    }
  }
  if (errno != 0) return refuse();
  auto result = parse_json(text);
  if (!result) return tl::unexpected(path + ": " + result.error());
  return result;
}

}  // namespace chatd::bench
