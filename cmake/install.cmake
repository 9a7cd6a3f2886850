# What `cmake --install` puts where (GNUInstallDirs): programs, manual pages, completions, documents,
# the service and the buffers that it asks for. Only programs that are part of this build and what belongs to them.
#
# More components are left out unless asked for: `configuration` (/etc/chatd/chatd.toml, which must
# not be written over where somebody has changed it) and `debian`, both of which
# cmake/package/cpack.cmake puts into the package; and `client_dev`, for those who write programs,
# which has a package of its own.
include(GNUInstallDirs)

install(TARGETS chatd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS chat chatctl chatbench RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

set(man docs/reference/man)
install(FILES ${man}/chatd.8 ${man}/chatctl.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${man}/chat.1 ${man}/chatbench.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# For those who run chatd or write a client; the rest is for those who have the sources.
install(DIRECTORY docs/guide docs/reference DESTINATION ${CMAKE_INSTALL_DOCDIR}
  PATTERN man EXCLUDE)
foreach(document performance reliability threat-model)
  install(FILES docs/internals/${document}.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/internals)
endforeach()
install(DIRECTORY docs/monitoring DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES docs/examples/chatd.toml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

# One file completes all of them; bash looks for it under the name of the program.
set(completions ${PROJECT_SOURCE_DIR}/cmake/package/completions)
foreach(program chatd chat chatctl chatbench)
  install(FILES ${completions}/chatd.bash RENAME ${program}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endforeach()
# Where zsh looks depends on whose files they are.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(zsh_folder zsh/vendor-completions)
else()
  set(zsh_folder zsh/site-functions)
endif()
install(FILES ${completions}/_chatd DESTINATION ${CMAKE_INSTALL_DATADIR}/${zsh_folder})

# The unit names the places of a package; here it gets those of this build.
file(READ server/systemd/chatd.service unit)
string(REPLACE "/usr/sbin/chatd" "${CMAKE_INSTALL_FULL_SBINDIR}/chatd" unit "${unit}")
string(REPLACE "/etc/chatd" "${CMAKE_INSTALL_FULL_SYSCONFDIR}/chatd" unit "${unit}")
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/chatd.service CONTENT "${unit}" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS server/systemd/chatd.service)
# Not LIBDIR: units, users and what the kernel is told are in lib/ on every machine.
install(FILES ${PROJECT_BINARY_DIR}/chatd.service server/systemd/chatd.socket
  server/systemd/chatd-tls.socket
  DESTINATION lib/systemd/system)
install(FILES server/systemd/chatd.sysusers RENAME chatd.conf DESTINATION lib/sysusers.d)
# An early name, so that whatever else the administrator or another package says counts.
install(FILES server/systemd/chatd.sysctl RENAME 10-chatd.conf DESTINATION lib/sysctl.d)

install(FILES docs/examples/chatd.toml DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/chatd
  COMPONENT configuration EXCLUDE_FROM_ALL)

# --- libchatd-client-dev --------------------------------------------------------------------------
configure_file(client/public/chatd-client.pc.in ${PROJECT_BINARY_DIR}/chatd-client.pc @ONLY)
set(client_dev COMPONENT client_dev EXCLUDE_FROM_ALL)
set(client_dev_documents ${CMAKE_INSTALL_DATADIR}/doc/libchatd-client-dev)
install(FILES client/public/chatd/client.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/chatd ${client_dev})
install(FILES $<TARGET_FILE:chatd-client> DESTINATION ${CMAKE_INSTALL_LIBDIR} ${client_dev})
install(FILES ${PROJECT_BINARY_DIR}/chatd-client.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  ${client_dev})
install(FILES client/public/example.cpp RENAME parrot.cpp
  DESTINATION ${client_dev_documents}/examples ${client_dev})
