# What `cmake --install` lays down: library, headers, command, pkg-config file and CMake package.
install(TARGETS credence EXPORT credenceTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET credence_cli)
  install(TARGETS credence_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/credence ${CMAKE_BINARY_DIR}/include/credence
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} OPTIONAL FILES_MATCHING PATTERN "*.h")

# Manual pages and completions come out of the program, so that they say what it does.
if(TARGET credence_cli AND NOT CMAKE_CROSSCOMPILING)
  file(STRINGS ${CMAKE_SOURCE_DIR}/src/cli/commands.def credence_commands REGEX "^COMMAND\\(")
  list(TRANSFORM credence_commands REPLACE "^COMMAND\\(([a-z]+),.*" "\\1")
  install(CODE "
    set(share \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}\")
    file(MAKE_DIRECTORY \${share}/man/man1 \${share}/bash-completion/completions \${share}/zsh/site-functions
      \${share}/fish/vendor_completions.d)
    function(credence_page file)
      execute_process(COMMAND \"$<TARGET_FILE:credence_cli>\" \${ARGN} OUTPUT_FILE \${share}/\${file} RESULT_VARIABLE failed)
      if(failed)
        message(FATAL_ERROR \"credence \${ARGN} failed\")
      endif()
    endfunction()
    credence_page(man/man1/credence.1 manual)
    foreach(name ${credence_commands})
      credence_page(man/man1/credence-\${name}.1 manual \${name})
    endforeach()
    credence_page(bash-completion/completions/credence completion bash)
    credence_page(zsh/site-functions/_credence completion zsh)
    credence_page(fish/vendor_completions.d/credence.fish completion fish)")
endif()

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
