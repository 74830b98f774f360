# What `cmake --install` lays down: library, headers, command, pkg-config file and CMake package.
install(TARGETS credence EXPORT credenceTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET credence_cli)
  install(TARGETS credence_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/credence ${CMAKE_BINARY_DIR}/include/credence
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} OPTIONAL FILES_MATCHING PATTERN "*.h")

include(CMakePackageConfigHelpers)
install(EXPORT credenceTargets NAMESPACE credence:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/credence)
file(WRITE ${CMAKE_BINARY_DIR}/credenceConfig.cmake "include(\"\${CMAKE_CURRENT_LIST_DIR}/credenceTargets.cmake\")\n")
write_basic_package_version_file(${CMAKE_BINARY_DIR}/credenceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/credenceConfig.cmake ${CMAKE_BINARY_DIR}/credenceConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/credence)
# The pkg-config file finds the rest from where it stands, so that an installation can be moved.
file(RELATIVE_PATH credence_pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${CMAKE_SOURCE_DIR}/cmake/credence.pc.in ${CMAKE_BINARY_DIR}/credence.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/credence.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
