# Language, warnings and sanitizers, for every target through crd_settings(target).
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
option(CREDENCE_TESTS "build the tests and examples" OFF)
option(CREDENCE_WERROR "warnings are errors" ON)
set(CREDENCE_SANITIZE "" CACHE STRING "sanitizers, as -fsanitize= takes them: address,undefined or thread")

function(crd_settings target)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE CRDI_VERSION="${PROJECT_VERSION}")
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/include)
  # Bits are part of the contract (docs/dev/bits.md): no contraction, no reordering, and omp simd only as a hint to
  # vectorise loops without reductions.
  target_compile_options(${target} PRIVATE -ffp-contract=off -fno-math-errno -fno-trapping-math -fopenmp-simd
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wpointer-arith
    -Wwrite-strings -Wno-psabi)
  if(CMAKE_C_COMPILER_ID MATCHES Clang)
    target_compile_options(${target} PRIVATE -Wno-pass-failed)
  endif()
  if(CREDENCE_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(CREDENCE_SANITIZE)
    target_compile_definitions(${target} PRIVATE CRDI_ARENA_DEBUG)
    target_compile_options(${target} PRIVATE -fsanitize=${CREDENCE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
    target_link_options(${target} PUBLIC -fsanitize=${CREDENCE_SANITIZE})
  endif()
endfunction()
