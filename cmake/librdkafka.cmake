# librdkafka, built once into the checkout's cache and linked statically by every preset; never instrumented. Debian 12
# has 2.0.2, which spins for up to 1 ms before each timer of its main loop (librdkafka issue 4684: half of the processor
# time of idle services) and can hand out records again from a stale fetch offset (4636). Its maker's npm package carries
# the source. POSIX threads instead of C11's: ThreadSanitizer sees only those. Sets the target parvis_rdkafka.
set(PARVIS_RDKAFKA_PACKAGE @confluentinc/kafka-javascript@1.10.1)   # with librdkafka 2.15.1
set(PARVIS_RDKAFKA_SHA512
    29578f5019f6d44a8254ff667f1cc4b8cdd26091c7105ed7fa2882d9ee374108034b211a92c2279821a8a13df0e6af9c340764482acaef58f42027eaa12a992f)
set(PARVIS_RDKAFKA ${CMAKE_SOURCE_DIR}/.cache/librdkafka-2.15.1)

function(parvis_build_rdkafka)
  set(work ${PARVIS_RDKAFKA}.part)
  file(MAKE_DIRECTORY ${work})
  file(LOCK ${work} DIRECTORY GUARD FUNCTION)   # two presets configured at once
  if(EXISTS ${PARVIS_RDKAFKA}/librdkafka.a)
    return()
  endif()
  message(STATUS "Building librdkafka from ${PARVIS_RDKAFKA_PACKAGE} (once; about 45 s)")
  set(log ${work}/build.log)
  execute_process(COMMAND npm pack --silent --cache ${work}/npm ${PARVIS_RDKAFKA_PACKAGE} WORKING_DIRECTORY ${work}
                  RESULT_VARIABLE failed OUTPUT_QUIET)
  file(GLOB archive ${work}/*.tgz)
  if(failed OR NOT archive)
    message(FATAL_ERROR "${PARVIS_RDKAFKA_PACKAGE} could not be downloaded by npm")
  endif()
  file(SHA512 ${archive} found)
  if(NOT found STREQUAL PARVIS_RDKAFKA_SHA512)
    file(REMOVE ${archive})
    message(FATAL_ERROR "${PARVIS_RDKAFKA_PACKAGE} has the SHA-512 ${found}, not the pinned ${PARVIS_RDKAFKA_SHA512}")
  endif()
  file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${work} PATTERNS package/deps/librdkafka/*)
  set(source ${work}/package/deps/librdkafka)
  cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
  execute_process(
    COMMAND ./configure --disable-gssapi --disable-curl --disable-c11threads --disable-lz4-ext --disable-zstd
            --disable-debug-symbols
    WORKING_DIRECTORY ${source} RESULT_VARIABLE failed OUTPUT_FILE ${log} ERROR_FILE ${log})
  if(NOT failed)
    execute_process(COMMAND make -j${cores} -C src librdkafka.a
                    WORKING_DIRECTORY ${source} RESULT_VARIABLE failed OUTPUT_FILE ${log} ERROR_FILE ${log})
  endif()
  if(failed)
    message(FATAL_ERROR "librdkafka could not be built; its log: ${log}")
  endif()
  file(COPY ${source}/src/rdkafka.h ${source}/src/rdkafka_mock.h DESTINATION ${PARVIS_RDKAFKA}/include/librdkafka)
  file(COPY ${source}/LICENSE DESTINATION ${PARVIS_RDKAFKA})
  file(COPY ${source}/src/librdkafka.a DESTINATION ${PARVIS_RDKAFKA})   # last: it says that all is there
endfunction()

if(NOT EXISTS ${PARVIS_RDKAFKA}/librdkafka.a)
  parvis_build_rdkafka()
  file(REMOVE_RECURSE ${PARVIS_RDKAFKA}.part)
endif()
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
add_library(parvis_rdkafka INTERFACE)
target_include_directories(parvis_rdkafka SYSTEM INTERFACE ${PARVIS_RDKAFKA}/include)
target_link_libraries(parvis_rdkafka INTERFACE ${PARVIS_RDKAFKA}/librdkafka.a OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB
                      ${CMAKE_DL_LIBS} m pthread rt)
