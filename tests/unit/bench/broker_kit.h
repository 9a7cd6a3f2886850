// Feeds a broker's bytes to a codec as a connection would: cut anywhere.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/chatbench/target/broker/codec.h"

namespace chatd::bench {

using ItemText = std::pair<BrokerItem::Kind, std::string>;

// The items of `stream`, which arrives in pieces of `piece_bytes`.
inline std::vector<ItemText> items_of(const BrokerCodec& codec, std::string_view stream,
                                      std::size_t piece_bytes) {
  std::vector<ItemText> items;
  std::string buffer;
  while (!stream.empty()) {
    buffer.append(stream.substr(0, piece_bytes));
    stream.remove_prefix(std::min(piece_bytes, stream.size()));
    for (;;) {
      const BrokerItem item = codec.next_item(buffer);
      if (item.kind == BrokerItem::Kind::kIncomplete) break;
      items.emplace_back(item.kind, std::string(item.text));
      buffer.erase(0, item.size_bytes);
    }
  }
  return items;
}

}  // namespace chatd::bench
