# libFuzzer targets, fuzz_<adapter> for every adapter there is; the preset `fuzz` has the compiler flags. Only what
# reads texts is compiled, once for all of them.

bencher_sources(base base)
bencher_sources(fuzzed adapter)
add_library(bencher_fuzzed STATIC EXCLUDE_FROM_ALL ${fuzzed} lib/json/reader.cpp)
# What checks the results is not what new inputs are to be found for, and would only make them slower.
add_library(bencher_fuzzing STATIC EXCLUDE_FROM_ALL ${base} tests/adapter/properties.cpp tests/fuzz/target.cpp)
target_compile_options(bencher_fuzzing PRIVATE -fno-sanitize=fuzzer-no-link)
foreach(library bencher_fuzzed bencher_fuzzing)
  target_include_directories(${library} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_compile_features(${library} PUBLIC cxx_std_20)
  target_link_libraries(${library} PUBLIC fmt::fmt simdjson::simdjson OpenSSL::Crypto PRIVATE bencher_warnings)
endforeach()
target_link_libraries(bencher_fuzzing PUBLIC bencher_fuzzed)

set(kinds_header ${PROJECT_SOURCE_DIR}/include/bencher/adapter/adapter.hpp)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${kinds_header})
file(STRINGS ${kinds_header} kinds REGEX "^  [a-z0-9_]+ = [0-9]+,$")
add_custom_target(fuzz)
foreach(line IN LISTS kinds)
  string(REGEX REPLACE "^  ([a-z0-9_]+) = .*" "\\1" kind "${line}")
  add_executable(fuzz_${kind} EXCLUDE_FROM_ALL tests/fuzz/adapter.cpp)
  set_target_properties(fuzz_${kind} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  target_compile_definitions(fuzz_${kind} PRIVATE BENCHER_FUZZ_ADAPTER="${kind}")
  target_link_libraries(fuzz_${kind} PRIVATE bencher_fuzzing bencher_warnings -fsanitize=fuzzer)
  add_dependencies(fuzz fuzz_${kind})
endforeach()
