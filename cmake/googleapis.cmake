# The protos of google.api and google.rpc: Debian ships none, so the pinned wheel of googleapis-common-protos is
# unpacked once into the checkout's cache. Sets PARVIS_GOOGLEAPIS, a proto include path.
set(PARVIS_GOOGLEAPIS_VERSION 1.76.0)
set(PARVIS_GOOGLEAPIS ${CMAKE_SOURCE_DIR}/.cache/googleapis-${PARVIS_GOOGLEAPIS_VERSION})
if(NOT EXISTS ${PARVIS_GOOGLEAPIS}/google/rpc/error_details.proto)
  find_program(PARVIS_PYTHON NAMES /usr/bin/python3 python3 REQUIRED)
  set(work ${PARVIS_GOOGLEAPIS}.part.$ENV{USER}${CMAKE_HOST_SYSTEM_NAME})
  execute_process(
    COMMAND ${PARVIS_PYTHON} -m pip download -q --no-deps --require-hashes -d ${work}
            -r ${CMAKE_SOURCE_DIR}/cmake/googleapis.txt
    RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "googleapis-common-protos ${PARVIS_GOOGLEAPIS_VERSION} could not be downloaded by pip")
  endif()
  file(GLOB wheel ${work}/*.whl)
  file(ARCHIVE_EXTRACT INPUT ${wheel} DESTINATION ${work})
  file(RENAME ${work} ${PARVIS_GOOGLEAPIS})
endif()
