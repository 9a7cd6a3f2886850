# Writes a C++ file with a text file in it: cmake -DINPUT=… -DOUTPUT=… -DNAME=… -DHEADER=… -P.
# Byte by byte, since compilers need only take short string literals.
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n    " bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE "${OUTPUT}"
  "// Made by cmake/embed_text.cmake.\n#include \"${HEADER}\"\n\nnamespace chatd {\nnamespace {\n"
  "constexpr char kBytes[] = {\n    ${bytes}\n};\n}  // namespace\n\n"
  "const std::string_view ${NAME}(kBytes, sizeof kBytes);\n\n}  // namespace chatd\n")
