// Fuzz targets: each takes any bytes, does with them what a stranger could make chatd or a client
// do, and throws PromiseBroken when something comes out that must not. Beyond that it is for the
// sanitizers to object.
//
// A target is a plain function in a file of its own (fuzz_NAME.cpp), so that two programs can call
// it: libFuzzer, which invents inputs (./dev fuzz), and replay_test.cpp, which goes through the
// recorded ones with every compiler and in every build.
#pragma once

#include <string_view>

#include "tests/model/require.h"

namespace chatd::fuzz {

using test::require;

void fuzz_address(std::string_view input);
void fuzz_response(std::string_view input);
void fuzz_config_file(std::string_view input);
void fuzz_member_session(std::string_view input);
void fuzz_datagram(std::string_view input);
void fuzz_event(std::string_view input);
void fuzz_frame(std::string_view input);
void fuzz_frames_v2(std::string_view input);
void fuzz_handover(std::string_view input);
void fuzz_identity(std::string_view input);
void fuzz_join_request(std::string_view input);
void fuzz_log_session(std::string_view input);
void fuzz_payload(std::string_view input);
void fuzz_relay(std::string_view input);
void fuzz_sealed_frames(std::string_view input);
void fuzz_tls(std::string_view input);

}  // namespace chatd::fuzz
