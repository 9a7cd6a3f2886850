#include "bench/chatbench/report/formats.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "bench/chatbench/report/run_result_fields.h"

namespace chatd::bench {
namespace {

class FieldWriter {
 public:
  FieldWriter() {
    writer_.SetIndent(' ', 2);
    writer_.SetFormatOptions(rapidjson::kFormatSingleLineArray);
  }

  template <class Field>
  void operator()(std::string_view key, const Field& field) {
    writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    write(field);
  }

  void begin() { writer_.StartObject(); }
  std::string end() {
    writer_.EndObject();
    return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n";
  }

 private:
  void write(std::uint64_t number) { writer_.Uint64(number); }
  void write(bool flag) { writer_.Bool(flag); }
  void write(LoopKind kind) { write(std::string(kind == LoopKind::kOpen ? "open" : "closed")); }
  // JSON cannot write what a division by zero gives.
  void write(double number) {
    if (std::isfinite(number)) {
      writer_.Double(number);
    } else {
      writer_.Null();
    }
  }
  void write(const std::string& text) {
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }

  template <class Value>
  void write(const std::optional<Value>& value) {
    if (value) {
      write(*value);
    } else {
      writer_.Null();
    }
  }
  template <class Value>
  void write(const std::vector<Value>& values) {
    writer_.StartArray();
    for (const Value& value : values) write(value);
    writer_.EndArray();
  }
  template <class Record>
  void write(const Record& record) {
    writer_.StartObject();
    visit_fields(*this, record);
    writer_.EndObject();
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer_{buffer_};
};

}  // namespace

std::string to_json(const RunResult& result) {
  FieldWriter writer;
  writer.begin();
  writer("schema", std::string(kSchemaName));
  writer("schema_version", kSchemaVersion);
  visit_fields(writer, result);
  return writer.end();
}

}  // namespace chatd::bench
