# Puts model/device/kernels.metal into the program, as metal_source(): a Mac compiles it when it is first needed.
set(metal_file ${CMAKE_SOURCE_DIR}/model/device/kernels.metal)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${metal_file})
file(READ ${metal_file} metal_text)
set(BENCH_METAL_SOURCE ${CMAKE_BINARY_DIR}/metal_source.cpp)
file(CONFIGURE OUTPUT ${BENCH_METAL_SOURCE} @ONLY CONTENT [[
// Written by cmake/embed_metal.cmake.
#include "model/device/metal.h"

namespace bench::model {

const char* metal_source() { return R"metal(@metal_text@)metal"; }

}  // namespace bench::model
]])
