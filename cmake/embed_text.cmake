# Writes a C++ file with a text file in it: cmake -DINPUT=… -DOUTPUT=… -DNAME=… -DHEADER=… -P.
# In pieces, since compilers need only take string literals of 64 KiB.
file(READ "${INPUT}" text)
string(LENGTH "${text}" length)
set(pieces "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 8192 piece)
  string(APPEND pieces "\n    R\"embedded(${piece})embedded\"")
  math(EXPR at "${at} + 8192")
endwhile()
file(WRITE "${OUTPUT}"
  "// Made by cmake/embed_text.cmake.\n#include \"${HEADER}\"\n\nnamespace chatd {\n"
  "const std::string_view ${NAME} =${pieces};\n}  // namespace chatd\n")
