# build_info.cpp: compiler, flags and commit. The commit is looked up at every build, but the file changes only with it.
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
set(BENCH_BUILD_INFO ${CMAKE_BINARY_DIR}/build_info.cpp)
add_custom_target(bench_build_info
  COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} -DOUT=${BENCH_BUILD_INFO}
          "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}" "-DFLAGS=${CMAKE_CXX_FLAGS_${build_type}}"
          "-DBUILD_TYPE=${CMAKE_BUILD_TYPE}" "-DVERSION=${PROJECT_VERSION}" -P ${CMAKE_SOURCE_DIR}/cmake/write_build_info.cmake
  BYPRODUCTS ${BENCH_BUILD_INFO} VERBATIM)
target_sources(bench_base PRIVATE ${BENCH_BUILD_INFO})
set_source_files_properties(${BENCH_BUILD_INFO} PROPERTIES GENERATED ON SKIP_PRECOMPILE_HEADERS ON)
add_dependencies(bench_base bench_build_info)
