# Well-kept libraries, all from Debian. Their headers count as system headers: our warnings are not for them.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(simdjson REQUIRED)                                # reads JSON
find_package(RapidJSON REQUIRED)                               # writes JSON (headers only)
find_package(absl REQUIRED)                                    # flat hash tables
find_package(tl-expected REQUIRED)                             # errors as values
find_package(CLI11 REQUIRED)                                   # flags
find_package(spdlog REQUIRED)                                  # logs
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)   # keyed hashes, constant-time comparison
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)  # Unicode: names that look alike, widths
# Its pkg-config file defines a macro that matters on Windows alone.
set_target_properties(PkgConfig::utf8proc PROPERTIES INTERFACE_COMPILE_OPTIONS "")
pkg_check_modules(openssl REQUIRED IMPORTED_TARGET openssl>=3)   # TLS
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd) # tells the service manager how chatd is
pkg_check_modules(microhttpd REQUIRED IMPORTED_TARGET libmicrohttpd)  # HTTP for the operator
pkg_check_modules(prometheus_core REQUIRED IMPORTED_TARGET prometheus-cpp-core)  # text for Prometheus
pkg_check_modules(edit REQUIRED IMPORTED_TARGET libedit)       # the line being typed in `chat`
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)       # HTTP for chatctl
find_package(Protobuf REQUIRED)                                # what one chatd hands over to the next
find_package(tomlplusplus REQUIRED)                            # reads the configuration file (headers only)
