# operator_table.cpp: which of LibTorch's operators have a kernel on which device, from the file that LibTorch itself is
# generated from. The wheel has it beside torch. Another LibTorch of that version may use the one in .venv.
set(BENCH_NATIVE_FUNCTIONS "" CACHE FILEPATH "native_functions.yaml of this LibTorch's version; empty: the wheel's")
set(bench_packaged torchgen/packaged/ATen/native/native_functions.yaml)
file(GLOB bench_native_functions "${TORCH_INSTALL_PREFIX}/../${bench_packaged}"
     "${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/${bench_packaged}")
list(PREPEND bench_native_functions ${BENCH_NATIVE_FUNCTIONS})
list(APPEND bench_native_functions missing)
list(GET bench_native_functions 0 bench_native_functions)
if(NOT EXISTS "${bench_native_functions}")
  message(FATAL_ERROR
    "native_functions.yaml is missing, from which the table of LibTorch's operators is made. It is in PyTorch's wheel "
    "(${bench_packaged}, beside torch), not in libtorch.zip. Run scripts/setup, which puts the wheel into .venv, or "
    "give -DBENCH_NATIVE_FUNCTIONS=FILE: aten/src/ATen/native/native_functions.yaml of PyTorch ${Torch_VERSION}.")
endif()
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
set(BENCH_OPERATOR_TABLE ${CMAKE_BINARY_DIR}/operator_table.cpp)
add_custom_command(
  OUTPUT ${BENCH_OPERATOR_TABLE}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/operator_table.py ${bench_native_functions}
          ${BENCH_OPERATOR_TABLE}
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/operator_table.py ${bench_native_functions}
  COMMENT "Making the table of LibTorch's operators" VERBATIM)
# It needs nothing of LibTorch.
set_source_files_properties(${BENCH_OPERATOR_TABLE} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
