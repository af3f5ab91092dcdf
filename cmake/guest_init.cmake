# The init of microVMs: a small static program, carried in the sandbox library. Only where a microVM can run.

function(bencher_embed_init target)
  if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/sandbox/guest/*.cpp)
  add_executable(bencher_init ${sources})
  set_target_properties(bencher_init PROPERTIES OUTPUT_NAME init RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/guest)
  target_include_directories(bencher_init PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_features(bencher_init PRIVATE cxx_std_20)
  # The same in every preset: nothing of sanitizers or debugging belongs into the guest.
  target_compile_options(bencher_init PRIVATE -Os -g0 -fno-sanitize=all -fno-exceptions -fno-rtti -fno-pie -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables)
  target_link_options(bencher_init PRIVATE -static -no-pie -fno-sanitize=all -Wl,--gc-sections -s)
  target_link_libraries(bencher_init PRIVATE bencher_warnings)
  set(program ${PROJECT_BINARY_DIR}/guest/init)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/lib/sandbox/init_program.cpp PROPERTIES
    COMPILE_DEFINITIONS "BENCHER_INIT_PROGRAM=\"${program}\"" OBJECT_DEPENDS ${program})
  add_dependencies(${target} bencher_init)
endfunction()
