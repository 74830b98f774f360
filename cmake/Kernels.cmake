# The kernels, once for each instruction set: src/kernel/isa/NAME.c and, of floats, NAME_single.c with that set's flags, always
# at -O3.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(isas portable avx2 avx512)
else()
  set(isas portable)
endif()
set(flags_portable "")
set(flags_avx2 -mavx2 -mfma)
set(flags_avx512 -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma -mprefer-vector-width=512)
set(credence_kernel_objects "")
foreach(isa IN LISTS isas)
  add_library(credence_kernel_${isa} OBJECT ${CMAKE_SOURCE_DIR}/src/kernel/isa/${isa}.c
              ${CMAKE_SOURCE_DIR}/src/kernel/isa/${isa}_single.c)
  crd_settings(credence_kernel_${isa})
  target_include_directories(credence_kernel_${isa} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_compile_options(credence_kernel_${isa} PRIVATE ${flags_${isa}} $<IF:$<BOOL:${CREDENCE_FUZZ}>,-O1,-O3>)
  list(APPEND credence_kernel_objects $<TARGET_OBJECTS:credence_kernel_${isa}>)
endforeach()
