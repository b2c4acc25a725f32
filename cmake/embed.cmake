# Puts the suites and configs into the program, so that it works without its repository.
file(GLOB_RECURSE embedded_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} suites/*.yaml configs/*.yaml)
set(BENCH_EMBEDDED_SOURCE ${CMAKE_BINARY_DIR}/embedded.cpp)
set(embedded_inputs ${embedded_files})
list(TRANSFORM embedded_inputs PREPEND ${CMAKE_SOURCE_DIR}/)
string(REPLACE ";" "," embedded_list "${embedded_files}")
add_custom_command(
  OUTPUT ${BENCH_EMBEDDED_SOURCE}
  COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} -DFILES=${embedded_list} -DOUT=${BENCH_EMBEDDED_SOURCE}
          -P ${CMAKE_SOURCE_DIR}/cmake/write_embedded.cmake
  DEPENDS ${embedded_inputs} ${CMAKE_SOURCE_DIR}/cmake/write_embedded.cmake
  COMMENT "Embedding suites and configs" VERBATIM)
