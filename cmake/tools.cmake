# What makes a part of the documentation; its tests see to it that the documentation is what it makes.

file(GLOB page_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/adapters_page/*.cpp)
list(FILTER page_sources EXCLUDE REGEX "/main\\.cpp$")
add_library(bencher_adapters_page STATIC ${page_sources})
target_include_directories(bencher_adapters_page PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(bencher_adapters_page PUBLIC bencher_core PRIVATE bencher_warnings fmt::fmt)
add_executable(adapters_page tools/adapters_page/main.cpp)
target_link_libraries(adapters_page PRIVATE bencher_adapters_page bencher_warnings)
