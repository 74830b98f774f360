# Texts that programs carry: FILE becomes `const char NAME[]` in a C source that is made again when FILE changes.
#   crd_embed(VARIABLE NAME FILE)     adds the path of that source to the list VARIABLE
# Run as a script (cmake -P) this file makes one source: NAME, FROM and TO are given.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${FROM} bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  file(WRITE ${TO} "extern const char ${NAME}[];\nconst char ${NAME}[] = {\n${bytes}0};\n")
  return()
endif()

function(crd_embed variable name file)
  set(source ${CMAKE_BINARY_DIR}/embedded/${name}.c)
  add_custom_command(OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DFROM=${file} -DTO=${source} -P ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
    DEPENDS ${file} ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake VERBATIM)
  set(${variable} ${${variable}} ${source} PARENT_SCOPE)
endfunction()
