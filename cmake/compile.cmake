# How everything is compiled: warnings are errors, ccache and mold where they are, sanitizers on demand.
add_library(hale_compile INTERFACE)
option(HALE_WARNINGS_ARE_ERRORS "Off only for tool/mutate, whose mutants leave names unused" ON)
set(warnings_are_errors $<$<BOOL:${HALE_WARNINGS_ARE_ERRORS}>:-Werror>)
target_compile_options(hale_compile INTERFACE
  -Wall -Wextra ${warnings_are_errors} -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wformat=2
  -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # A precompiled header without its time stamp lets ccache reuse what was built from it.
  target_compile_options(hale_compile INTERFACE
    -Wconversion -Wno-sign-conversion -Wthread-safety -Wimplicit-fallthrough
    "SHELL:-Xclang -fno-pch-timestamp")
endif()

if(HALE_SANITIZE)
  target_compile_options(hale_compile INTERFACE -fsanitize=${HALE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(hale_compile INTERFACE -fsanitize=${HALE_SANITIZE})
endif()
if(HALE_FUZZ)
  target_compile_options(hale_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(HALE_CCACHE ccache)
if(HALE_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${HALE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${HALE_CCACHE})
endif()
find_program(HALE_MOLD mold)
if(HALE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
