# What find_package(bencher) and pkg-config find.

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/bencher)
foreach(name core sandbox render client)
  if(TARGET bencher_${name})
    install(TARGETS bencher_${name} EXPORT bencherTargets FILE_SET HEADERS ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endif()
endforeach()
install(EXPORT bencherTargets NAMESPACE bencher:: DESTINATION ${package_dir})
configure_package_config_file(cmake/bencherConfig.cmake.in bencherConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(bencherConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/bencherConfig.cmake ${PROJECT_BINARY_DIR}/bencherConfigVersion.cmake DESTINATION ${package_dir})
# Relative to where the file is, so that the package can be moved.
file(RELATIVE_PATH BENCHER_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/bencher.pc.in bencher.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/bencher.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
