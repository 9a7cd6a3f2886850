#include "tests/support/json.h"

namespace chatd::test {
namespace {

std::string to_text(const Json& value) {
  return {value.GetString(), value.GetStringLength()};
}

}  // namespace

JsonObject::JsonObject(std::string_view text) {
  document_.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  valid_ = !document_.HasParseError() && document_.IsObject();
  if (!valid_) document_.SetObject();
}

const Json* JsonObject::find(std::string_view key) const {
  const auto found = document_.FindMember(
      Json(rapidjson::StringRef(key.data(), static_cast<rapidjson::SizeType>(key.size()))));
  return found == document_.MemberEnd() ? nullptr : &found->value;
}

bool JsonObject::has(std::string_view key) const {
  return find(key) != nullptr;
}

std::string JsonObject::text(std::string_view key) const {
  const Json* value = find(key);
  return value != nullptr && value->IsString() ? to_text(*value) : std::string();
}

long JsonObject::number(std::string_view key) const {
  const Json* value = find(key);
  return value != nullptr && value->IsInt64() ? value->GetInt64() : -1;
}

bool JsonObject::flag(std::string_view key) const {
  const Json* value = find(key);
  return value != nullptr && value->IsBool() && value->GetBool();
}

bool JsonObject::is_array(std::string_view key) const {
  const Json* value = find(key);
  return value != nullptr && value->IsArray();
}

JsonObject JsonObject::object(std::string_view key) const {
  JsonObject inner("");
  const Json* value = find(key);
  if (value == nullptr || !value->IsObject()) return inner;
  inner.document_.CopyFrom(*value, inner.document_.GetAllocator());
  inner.valid_ = true;
  return inner;
}

std::vector<std::string> JsonObject::keys() const {
  std::vector<std::string> names;
  for (const auto& member : document_.GetObject()) names.push_back(to_text(member.name));
  return names;
}

std::vector<std::string> JsonObject::texts(std::string_view key) const {
  std::vector<std::string> all;
  const Json* value = find(key);
  if (value == nullptr || !value->IsArray()) return all;
  for (const Json& item : value->GetArray()) {
    if (item.IsString()) all.push_back(to_text(item));
  }
  return all;
}

}  // namespace chatd::test
