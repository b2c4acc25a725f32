# For what only calls what computes: -O1 takes three quarters of -O2's time. Clang takes no header that was precompiled with
# another level; GCC 12 crashes when a file of -O2 takes one of -O1, and takes none of -O0 beside -O1.
function(bench_compiles_fast target)
  target_compile_options(${target} PRIVATE $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-O1>)
endfunction()
