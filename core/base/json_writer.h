// A thin front of RapidJSON's Writer for string views, so that its headers and its char-and-length
// pairs stay in one place. The strings must be valid UTF-8.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

namespace chatd {

// RapidJSON writes to wherever its allocator points, also when that is nowhere: its own allocator
// returns a null pointer when memory runs out, and the next byte crashes the program. Memory from
// operator new is there, or is nobody's concern any more.
class JsonAllocator {
 public:
  static constexpr bool kNeedFree = true;

  void* Malloc(std::size_t size_bytes) { return ::operator new(size_bytes); }
  void* Realloc(void* block, std::size_t old_size_bytes, std::size_t size_bytes) {
    void* const grown = Malloc(size_bytes);
    if (block != nullptr) std::memcpy(grown, block, std::min(old_size_bytes, size_bytes));
    Free(block);
    return grown;
  }
  static void Free(void* block) { ::operator delete(block); }
};

class JsonWriter {
 public:
  void begin_object() { writer_.StartObject(); }
  void end_object() { writer_.EndObject(); }
  void begin_array() { writer_.StartArray(); }
  void end_array() { writer_.EndArray(); }

  void key(std::string_view name) { writer_.Key(name.data(), length(name)); }
  void value(std::string_view text) { writer_.String(text.data(), length(text)); }
  void value(std::uint64_t number) { writer_.Uint64(number); }
  void value(double number) { writer_.Double(number); }
  void value(bool flag) { writer_.Bool(flag); }
  void value(const char* text) = delete;  // would quietly become a bool
  // A value that is JSON already.
  void raw(std::string_view json) {
    writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType);
  }

  template <class Value>
  void member(std::string_view name, Value what) {
    key(name);
    value(what);
  }

  // Of what has been written so far.
  std::size_t size_bytes() const { return buffer_.GetSize(); }
  std::string take() { return {buffer_.GetString(), buffer_.GetSize()}; }
  // Until the next call that writes.
  std::string_view text() const { return {buffer_.GetString(), buffer_.GetSize()}; }
  // Begins again in the same memory.
  void clear() {
    buffer_.Clear();
    writer_.Reset(buffer_);
  }

 private:
  static rapidjson::SizeType length(std::string_view text) {
    return static_cast<rapidjson::SizeType>(text.size());
  }

  using Buffer = rapidjson::GenericStringBuffer<rapidjson::UTF8<>, JsonAllocator>;

  Buffer buffer_;
  rapidjson::Writer<Buffer, rapidjson::UTF8<>, rapidjson::UTF8<>, JsonAllocator> writer_{buffer_};
};

}  // namespace chatd
