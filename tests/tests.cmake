# What several kinds of test share.
file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.c)
add_library(perch_support STATIC ${support})
target_include_directories(perch_support PUBLIC ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(perch_support PUBLIC perch_wire)
target_compile_definitions(perch_support PRIVATE
	PERCH_SOURCE="${CMAKE_SOURCE_DIR}")

# Every test is found by its place: tests/unit/NAME.c is one cmocka program.
file(GLOB unit_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*.c)
foreach(file ${unit_tests})
	get_filename_component(name ${file} NAME_WE)
	add_executable(unit_${name} ${file})
	target_link_libraries(unit_${name} perch_client perch_service
		perch_support PkgConfig::CMOCKA)
	target_compile_definitions(unit_${name} PRIVATE
		PERCH_VECTORS="${PERCH_VECTORS}"
		PERCH_SOURCE="${CMAKE_SOURCE_DIR}")
	add_test(NAME unit_${name} COMMAND unit_${name})
	set_tests_properties(unit_${name} PROPERTIES TIMEOUT 300 LABELS unit)
endforeach()

# What checks the repository itself, with Debian's Python and its packages.
find_program(DEBIAN_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
file(GLOB source_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/source/*.py)
foreach(file ${source_tests})
	get_filename_component(name ${file} NAME_WE)
	add_test(NAME source_${name} COMMAND ${DEBIAN_PYTHON} ${file})
	set_tests_properties(source_${name} PROPERTIES TIMEOUT 60
		LABELS source SKIP_RETURN_CODE 77)
endforeach()
