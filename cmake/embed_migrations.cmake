# Turns lib/storage/migrations/NNNN_name.{up,down}.sql into one generated source, so that the binary carries its schema.
function(bencher_embed_migrations target dir)
  file(GLOB ups CONFIGURE_DEPENDS "${dir}/*.up.sql")
  list(SORT ups)
  set(rows "")
  foreach(up IN LISTS ups)
    string(REGEX REPLACE "\\.up\\.sql$" ".down.sql" down "${up}")
    cmake_path(GET up FILENAME file)
    if(NOT file MATCHES "^0*([0-9]+)_(.+)\\.up\\.sql$")
      message(FATAL_ERROR "migration ${file}: the name is not NNNN_name.up.sql")
    endif()
    set(version "${CMAKE_MATCH_1}")
    set(name "${CMAKE_MATCH_2}")
    file(READ "${up}" up_sql)
    file(READ "${down}" down_sql)
    string(APPEND rows "      Migration{${version}, \"${name}\", R\"sql(${up_sql})sql\", R\"sql(${down_sql})sql\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${up}" "${down}")
  endforeach()
  set(out "${PROJECT_BINARY_DIR}/generated/migrations.cpp")
  file(CONFIGURE OUTPUT "${out}" @ONLY CONTENT "// Generated from lib/storage/migrations; do not edit.
#include \"lib/storage/migration.hpp\"

namespace bencher::storage {

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> all{
@rows@  };
  return all;
}

}  // namespace bencher::storage
")
  target_sources(${target} PRIVATE "${out}")
endfunction()
