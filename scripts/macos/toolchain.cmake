# Cross-compiles on Linux for macOS 14 or later on Apple silicon, with what
# prepare_dependencies put into the cache folder BENCH_MACOS_CACHE.
if(NOT BENCH_MACOS_CACHE)
  set(BENCH_MACOS_CACHE "$ENV{BENCH_MACOS_CACHE}")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BENCH_MACOS_CACHE)

set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_VERSION 23.0.0)  # Darwin 23 is macOS 14
set(CMAKE_SYSTEM_PROCESSOR arm64)

set(CMAKE_C_COMPILER "${BENCH_MACOS_CACHE}/compiler/bin/cc")
set(CMAKE_CXX_COMPILER "${BENCH_MACOS_CACHE}/compiler/bin/c++")
set(CMAKE_AR "${BENCH_MACOS_CACHE}/compiler/bin/ar" CACHE FILEPATH "" FORCE)
set(CMAKE_RANLIB "${BENCH_MACOS_CACHE}/compiler/bin/ranlib" CACHE FILEPATH "" FORCE)
# CMake insists on this tool for macOS but needs it only to install programs.
set(CMAKE_INSTALL_NAME_TOOL /bin/true CACHE FILEPATH "" FORCE)

# The compiler knows its SDK and its target: keep CMake from asking xcrun.
set(CMAKE_OSX_SYSROOT "" CACHE STRING "" FORCE)
set(CMAKE_OSX_ARCHITECTURES "" CACHE STRING "" FORCE)
set(CMAKE_OSX_DEPLOYMENT_TARGET "" CACHE STRING "" FORCE)

# Libraries come from the cache alone, never from this Linux machine.
file(GLOB CMAKE_FIND_ROOT_PATH "${BENCH_MACOS_CACHE}/libraries/*")
set(CMAKE_PREFIX_PATH ${CMAKE_FIND_ROOT_PATH})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
