# clang-tidy looks for .clang-tidy in the folders above a source. Those above a unity file are the
# build's, where it finds that of the project alone. These pass on what folders below add to it.

# The checks of a folder's .clang-tidy, as an argument.
function(chatd_tidy_argument folder out)
  file(READ ${folder}/.clang-tidy text)
  string(REGEX REPLACE "^.*Checks: >" "" checks "${text}")
  string(REGEX REPLACE "[ \n]" "" checks "${checks}")
  set(${out} "--checks=${checks}" PARENT_SCOPE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/.clang-tidy)
endfunction()

# For all targets that this folder and those below make from here on.
macro(chatd_tidy_folder)
  if(CMAKE_CXX_CLANG_TIDY)
    chatd_tidy_argument(${CMAKE_CURRENT_SOURCE_DIR} _chatd_tidy_argument)
    list(APPEND CMAKE_CXX_CLANG_TIDY ${_chatd_tidy_argument})
  endif()
endmacro()

# For one target.
function(chatd_tidy_target target folder)
  if(CMAKE_CXX_CLANG_TIDY)
    chatd_tidy_argument(${folder} argument)
    set_property(TARGET ${target} APPEND PROPERTY CXX_CLANG_TIDY ${argument})
  endif()
endfunction()
