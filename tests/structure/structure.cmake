# Tests of the sources themselves, label structure. Each script plants violations in a copy and must see them caught
# when it is called with `selftest`; README.md lists what is checked.
foreach(check includes source headers formatted pages)
  set(script ${CMAKE_CURRENT_SOURCE_DIR}/structure/check_${check}.sh)
  add_test(NAME structure/${check} COMMAND sh ${script} ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/include)
  add_test(NAME structure/${check}_selftest COMMAND sh ${script} selftest)
  set_tests_properties(structure/${check} structure/${check}_selftest PROPERTIES LABELS structure
    SKIP_RETURN_CODE 77 TIMEOUT 300 ENVIRONMENT "CC=${CMAKE_C_COMPILER}")
endforeach()
add_test(NAME structure/install COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/structure/check_install.sh
  ${CMAKE_COMMAND} ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/structure/install)
set(install_flags)
if(CREDENCE_SANITIZE)
  set(install_flags -fsanitize=${CREDENCE_SANITIZE})
endif()
set_tests_properties(structure/install PROPERTIES LABELS structure TIMEOUT 300
  ENVIRONMENT "CC=${CMAKE_C_COMPILER};CFLAGS=${install_flags}")
