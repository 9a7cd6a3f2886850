// The connections of the HTTP server (http_server.h), and what each is at: who has to go when there
// is no place, and who is still to be answered. Thread: any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "server/admin/http_server.h"

struct MHD_Connection;

namespace chatd {

// An answer that comes later. The connection sleeps until it does.
class LaterAnswer {
 public:
  explicit LaterAnswer(MHD_Connection* connection) : connection_(connection) {}

  // From any thread; what comes second, or when the connection has gone, is nobody's.
  void give(HttpResponse response);
  // On the connection's thread: the answer, if it is there. If not, the connection is put to sleep,
  // and its request comes up again when it is.
  std::optional<HttpResponse> take_or_sleep();
  // The connection has gone.
  void end();

 private:
  std::mutex mutex_;
  MHD_Connection* connection_;  // null: it has gone
  std::optional<HttpResponse> response_;
  bool is_given_ = false;
  bool is_asleep_ = false;
};

class HttpPlaces {
 public:
  using Clock = std::chrono::steady_clock;

  // A connection has come; when there are too many, the descriptor of another one is shut down,
  // which ends it.
  void enter(MHD_Connection* connection, int fd);
  void leave(MHD_Connection* connection);

  // It asks something. False: it is not to be answered.
  bool begin_answer(MHD_Connection* connection);
  // The answer comes later. False: too many do.
  bool answer_later(MHD_Connection* connection, std::shared_ptr<LaterAnswer> later);
  void begin_sending(MHD_Connection* connection);
  void end_answer(MHD_Connection* connection);

  // From here on nobody who asks is answered, until reopen(). Those who have come a moment ago, or
  // are being answered, are waited for.
  void close(std::chrono::milliseconds patience);
  void reopen();
  // All who wait for a later answer get this one.
  void answer_all(const HttpResponse& response);
  // Until nobody waits for an answer, or reads one.
  void await_answers(std::chrono::milliseconds patience);

 private:
  enum class Phase : std::uint8_t { kNew, kKept, kAnswering, kLater, kSending };

  struct Place {
    int fd;
    Clock::time_point since;  // in this phase
    Phase phase = Phase::kNew;
    bool is_shut_down = false;
    std::shared_ptr<LaterAnswer> later = {};
  };

  void shut_down_longest();
  void enter_phase(MHD_Connection* connection, Phase phase);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<MHD_Connection*, Place> places_;
  bool is_closed_ = false;
};

}  // namespace chatd
