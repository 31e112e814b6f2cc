# Every test is found by its place: tests/unit/NAME.c is one cmocka program.
file(GLOB unit_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*.c)
foreach(file ${unit_tests})
	get_filename_component(name ${file} NAME_WE)
	add_executable(unit_${name} ${file})
	target_link_libraries(unit_${name} perch_client perch_service
		PkgConfig::CMOCKA)
	target_compile_definitions(unit_${name} PRIVATE
		PERCH_VECTORS="${PERCH_VECTORS}"
		PERCH_SOURCE="${CMAKE_SOURCE_DIR}")
	add_test(NAME unit_${name} COMMAND unit_${name})
	set_tests_properties(unit_${name} PROPERTIES TIMEOUT 300 LABELS unit)
endforeach()
