# Compiler, linker and sanitizer settings, the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(PARVIS_SANITIZE "" CACHE STRING "Sanitizers, e.g. 'address,undefined' or 'thread'")
option(PARVIS_FUZZ "Build libFuzzer targets (clang only)" OFF)
option(PARVIS_WITHOUT_GRPC "Leave out all that links gRPC (for ThreadSanitizer)" OFF)

add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Werror=return-type -Wnon-virtual-dtor
                    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # ccache can use a precompiled header only when the preprocessor keeps track of it.
  add_compile_options(-fpch-preprocess)
endif()
if(PARVIS_SANITIZE)
  add_compile_options(-fsanitize=${PARVIS_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PARVIS_SANITIZE})
  if(PARVIS_SANITIZE MATCHES "undefined")
    # Left out: checks of pointers that AddressSanitizer or the processor make anyway. They double the time of a build.
    add_compile_options(-fno-sanitize-recover=undefined
                        -fno-sanitize=null,alignment,vptr,object-size,pointer-overflow,return,unreachable)
  endif()
endif()

find_program(PARVIS_CCACHE ccache)
if(PARVIS_CCACHE)
  set(PARVIS_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_DIR=${CMAKE_SOURCE_DIR}/.cache/ccache CCACHE_MAXSIZE=5G ${PARVIS_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${PARVIS_LAUNCHER})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PARVIS_LAUNCHER})
endif()
find_program(PARVIS_MOLD mold)
if(PARVIS_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
# Linking is memory-bound with gRPC's archives; two at a time are enough everywhere.
set_property(GLOBAL PROPERTY JOB_POOLS link=2)
set(CMAKE_JOB_POOL_LINK link)

include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/services ${CMAKE_BINARY_DIR}/gen)
