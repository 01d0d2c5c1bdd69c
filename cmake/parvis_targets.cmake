# The few functions that every CMakeLists.txt of ours is written with.
#
#   parvis_library(NAME SOURCES... DEPS targets...)     a static library
#   parvis_test(NAME SOURCES... DEPS targets... [LABELS l...] [TIMEOUT s] [NO_TSAN])   a GoogleTest binary, one ctest;
#                                                       NO_TSAN: one thread only, no part of what is delivered, or all connectors to
#                                                       link (they keep no state; the threads around them are in net_test and
#                                                       the domains' tests)
#   parvis_binary(NAME SOURCES... DEPS targets...)      an executable in ${CMAKE_BINARY_DIR}/bin
#   parvis_bench(NAME SOURCES... DEPS targets...)       a binary that scripts/bench measures with (platform/testing/bench.h)
#   parvis_proto(PACKAGE files... DEPS packages...)     proto_<package> (messages) and, where a file ends in
#                                                       _service.proto, proto_<package>_grpc (stubs)
#   parvis_fuzz(NAME SOURCES... DEPS targets...)        a libFuzzer target (only with PARVIS_FUZZ)
#
# Services link platform libraries by these names: parvis_base, parvis_obs, parvis_app, parvis_net, parvis_db,
# parvis_bus, parvis_rpc, parvis_testing.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(PROTOBUF REQUIRED IMPORTED_TARGET protobuf)
if(NOT PARVIS_WITHOUT_GRPC)
  pkg_check_modules(GRPC REQUIRED IMPORTED_TARGET grpc++)
endif()
find_package(absl REQUIRED)
find_package(GTest REQUIRED)
find_program(PARVIS_PROTOC protoc REQUIRED)
find_program(PARVIS_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)

# One precompiled header for all of ours: what nearly every file includes. gtest has one of its own.
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/pch/empty.cc CONTENT "// precompiled header owner\n")
set(PARVIS_PCH_HEADERS <algorithm> <chrono> <functional> <map> <memory> <mutex> <optional>
  <string> <string_view> <thread> <unordered_map> <variant> <vector>
  <absl/status/statusor.h> <absl/time/time.h> <absl/synchronization/mutex.h>)
add_library(parvis_pch STATIC ${CMAKE_BINARY_DIR}/pch/empty.cc)
target_link_libraries(parvis_pch PRIVATE Threads::Threads)
target_precompile_headers(parvis_pch PRIVATE ${PARVIS_PCH_HEADERS})
add_library(parvis_test_pch STATIC ${CMAKE_BINARY_DIR}/pch/empty.cc)
# gtest and threads: a precompiled header is ignored when its macros (-pthread's among them) differ from its users'.
target_link_libraries(parvis_test_pch PRIVATE GTest::gtest Threads::Threads)
target_precompile_headers(parvis_test_pch PRIVATE ${PARVIS_PCH_HEADERS} <gtest/gtest.h>)
# Under a sanitizer the code under test is optimised, the tests themselves are not: they are a third of the build.
set(PARVIS_TEST_OPTIONS "")
if(PARVIS_SANITIZE)
  set(PARVIS_TEST_OPTIONS -O0)
endif()
target_compile_options(parvis_test_pch PRIVATE ${PARVIS_TEST_OPTIONS})

function(parvis_library name)
  cmake_parse_arguments(arg "NO_PCH" "" "DEPS" ${ARGN})
  add_library(${name} STATIC ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${arg_DEPS})
  if(NOT arg_NO_PCH)
    target_precompile_headers(${name} REUSE_FROM parvis_pch)
  endif()
endfunction()

add_custom_target(binaries)  # everything that scripts/run needs, without the tests

function(parvis_binary name)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
  target_precompile_headers(${name} REUSE_FROM parvis_pch)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  add_dependencies(binaries ${name})
endfunction()

add_custom_target(benches)  # what scripts/bench measures with

function(parvis_bench name)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
  target_precompile_headers(${name} REUSE_FROM parvis_pch)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  if(PARVIS_SANITIZE)  # nothing is measured there
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
  add_dependencies(benches ${name})
endfunction()

add_custom_target(tests)  # all GoogleTest binaries

function(parvis_test name)
  cmake_parse_arguments(arg "NO_TSAN" "TIMEOUT" "DEPS;LABELS" ${ARGN})
  # Other processes are not under the sanitizer, so a test of whole processes shows nothing there.
  if(PARVIS_SANITIZE STREQUAL "thread" AND (arg_NO_TSAN OR "system" IN_LIST arg_LABELS OR "wordpress" IN_LIST arg_LABELS))
    return()
  endif()
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gtest GTest::gtest_main)
  target_compile_options(${name} PRIVATE ${PARVIS_TEST_OPTIONS})
  add_dependencies(tests ${name})
  target_precompile_headers(${name} REUSE_FROM parvis_test_pch)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  # The longest first, so that none of them is what the others have waited for.
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} COST ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()

add_custom_target(fuzzers)  # all libFuzzer targets

# parvis_fuzz also adds a ctest (label fuzz) that runs the target for PARVIS_FUZZ_SECONDS from the inputs kept in
# <folder>/testdata/fuzz/<name>/, if there are any.
set(PARVIS_FUZZ_SECONDS 5 CACHE STRING "How long each libFuzzer target runs as a test, in seconds")
function(parvis_fuzz name)
  if(PARVIS_FUZZ)
    cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
    add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
    target_link_libraries(${name} PRIVATE ${arg_DEPS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    add_dependencies(fuzzers ${name})
    set(kept ${CMAKE_CURRENT_SOURCE_DIR}/testdata/fuzz/${name})
    set(work ${CMAKE_BINARY_DIR}/fuzz/corpus/${name})
    file(MAKE_DIRECTORY ${work})
    if(NOT EXISTS ${kept})
      set(kept "")
    endif()
    add_test(NAME ${name} COMMAND ${name} -max_total_time=${PARVIS_FUZZ_SECONDS} -timeout=10 -rss_limit_mb=2048
             -print_final_stats=1 ${work} ${kept})
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 180)
  endif()
endfunction()

# Generated code is compiled without our warnings and without the precompiled header.
function(parvis_proto package)
  cmake_parse_arguments(arg "EXTERNAL" "ROOT" "DEPS" ${ARGN})
  if(NOT arg_ROOT)
    set(arg_ROOT ${CMAKE_SOURCE_DIR}/protos)
  endif()
  set(gen ${CMAKE_BINARY_DIR}/gen)
  set(messages "")
  set(stubs "")
  foreach(proto ${arg_UNPARSED_ARGUMENTS})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(outputs ${gen}/${stem}.pb.cc ${gen}/${stem}.pb.h)
    set(flags --cpp_out=${gen})
    list(APPEND messages ${gen}/${stem}.pb.cc)
    if(proto MATCHES "_service\\.proto$" AND NOT PARVIS_WITHOUT_GRPC)
      list(APPEND outputs ${gen}/${stem}.grpc.pb.cc ${gen}/${stem}.grpc.pb.h)
      list(APPEND flags --grpc_out=${gen} --plugin=protoc-gen-grpc=${PARVIS_GRPC_PLUGIN})
      list(APPEND stubs ${gen}/${stem}.grpc.pb.cc)
    endif()
    add_custom_command(OUTPUT ${outputs}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${gen}
      COMMAND ${PARVIS_PROTOC} -I${arg_ROOT} -I${CMAKE_SOURCE_DIR}/protos -I${PARVIS_GOOGLEAPIS} ${flags} ${proto}
      DEPENDS ${arg_ROOT}/${proto} COMMENT "protoc ${proto}" VERBATIM)
  endforeach()
  add_library(proto_${package} STATIC ${messages})
  target_compile_options(proto_${package} PRIVATE -w)
  target_link_libraries(proto_${package} PUBLIC PkgConfig::PROTOBUF)
  foreach(dep ${arg_DEPS})
    target_link_libraries(proto_${package} PUBLIC proto_${dep})
  endforeach()
  if(stubs)
    add_library(proto_${package}_grpc STATIC ${stubs})
    target_compile_options(proto_${package}_grpc PRIVATE -w)
    target_link_libraries(proto_${package}_grpc PUBLIC proto_${package} PkgConfig::GRPC)
  endif()
endfunction()
