# CPack runs this on the tree of files that becomes the package, after the programs are stripped:
# what Debian wants compressed or left out, is.
set(usr ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr)
file(GLOB_RECURSE pages ${usr}/share/man/*.[18])
file(GLOB programs ${usr}/bin/* ${usr}/sbin/*)
if(NOT pages OR NOT programs)
  message(FATAL_ERROR "no manual pages or no programs in ${usr}")
endif()
execute_process(COMMAND gzip -9n ${pages} COMMAND_ERROR_IS_FATAL ANY)
foreach(program ${programs})
  execute_process(COMMAND strip --remove-section=.comment --remove-section=.note ${program}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
