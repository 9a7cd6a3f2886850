# The Debian package (./dev package). It follows what debhelper would do: libraries are found by
# dpkg-shlibdeps, /etc/chatd/chatd.toml is a conffile, the service is enabled and started at the
# first installation unless the administrator's policy says otherwise, handed over to the new one by an upgrade,
# stopped by a removal. A chatd that nobody has configured listens on 127.0.0.1 alone.
set(debian ${PROJECT_SOURCE_DIR}/cmake/package/debian)

# Compressed without names and times: the same sources make the same package.
set(generated ${PROJECT_BINARY_DIR}/debian)
file(MAKE_DIRECTORY ${generated})
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${debian}/changelog)
execute_process(COMMAND gzip -9nc ${debian}/changelog OUTPUT_FILE ${generated}/changelog.gz
  COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${generated}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR}
  COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${debian}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR}
  COMPONENT debian EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME chatd)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "chatd maintainers <maintainers@users.noreply.b-seed-0099f17c.example>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# Everything, and what cmake/install.cmake holds back.
set(CPACK_INSTALL_CMAKE_PROJECTS
  "${PROJECT_BINARY_DIR};chatd;ALL;/"
  "${PROJECT_BINARY_DIR};chatd;configuration;/"
  "${PROJECT_BINARY_DIR};chatd;debian;/")
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/package/finish_tree.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# systemd-sysusers makes the user, where there is no systemd as well.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "fast chat-room relay, with a terminal client")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Clients make rooms and join them over TCP; whatever a member says over UDP,
chatd passes on, byte for byte, to everyone else in that room. It stores
nothing.

This package has the server with its systemd service, chatctl (a tool for its
operator), chat (a client for the terminal and for pipelines) and chatbench (a
load generator). The service listens on 127.0.0.1 until /etc/chatd/chatd.toml
says otherwise.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
include(CPack)

# --- libchatd-client-dev --------------------------------------------------------------------------
# A second package of the same build, by a configuration of its own (./dev package).
install(FILES ${generated}/changelog.gz DESTINATION ${client_dev_documents}
  COMPONENT client_dev EXCLUDE_FROM_ALL)
install(FILES ${debian}/copyright DESTINATION ${client_dev_documents}
  COMPONENT client_dev EXCLUDE_FROM_ALL)
configure_file(cmake/package/client_dev.cmake.in ${PROJECT_BINARY_DIR}/CPackClientDevConfig.cmake @ONLY)
