#include "client/net/room_client.h"

#include <utility>

#include "client/net/room_client_v1.h"
#include "client/net/room_client_v2.h"

namespace chatd::client {

tl::expected<std::unique_ptr<RoomClient>, Error> RoomClient::enter(const ServerAddress& server,
                                                                   EntryRequest request,
                                                                   const Wishes& wishes) {
  if (server.protocol == 2) return RoomClientV2::enter(server, std::move(request), wishes);
  return RoomClientV1::enter(server, std::move(request), wishes);
}

}  // namespace chatd::client
