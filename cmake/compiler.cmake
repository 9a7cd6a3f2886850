# Warnings are errors everywhere, and the sanitizers are switches that a preset sets:
#   CHATD_SANITIZE   a list for -fsanitize=, for example "address,undefined" or "thread"

set(CHATD_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

add_library(chatd_compiler INTERFACE)
target_compile_options(chatd_compiler INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Werror)
# Project headers are named from the root, so that an include says which layer it reaches into.
target_include_directories(chatd_compiler INTERFACE ${PROJECT_SOURCE_DIR})

# Sources that run once, at start, and pull in heavy templates (the command lines, with CLI11): half
# the time to compile, and g++ 12 sees no null pointers where the standard library is not inlined.
function(chatd_cold_sources)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:RelWithDebInfo>:-Og>)
  endif()
endfunction()

if(CHATD_SANITIZE)
  # Everything that is linked must be built with the same sanitizer, so this is global.
  # The check of virtual tables asks the kernel, through a new pipe, whether memory is readable: a
  # program without descriptors, as some tests make it, is then told that its sound objects are none.
  add_compile_options(-fsanitize=${CHATD_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CHATD_SANITIZE})
endif()

if(CHATD_COVERAGE)
  # Each program counts which code it runs, and writes that down when it ends (see ./dev coverage).
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()

if(CHATD_FUZZ)
  # Everything tells libFuzzer which way it goes; main() comes with the fuzzers alone. The library's
  # assertions see what no sanitizer does: a view that is read past its end within the input.
  add_compile_options(-fsanitize=fuzzer-no-link
    -fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/cmake/sanitizer_ignore.txt)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
