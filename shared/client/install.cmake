# libperch as others get it: one shared library that holds every layer it needs
# and shows perch_* only, its headers, and perch.pc for pkg-config.
target_include_directories(perch_client PUBLIC
	${CMAKE_CURRENT_LIST_DIR}/include)

add_library(perch SHARED $<TARGET_OBJECTS:perch_client>)
set_target_properties(perch PROPERTIES LINKER_LANGUAGE C
	VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_link_libraries(perch PRIVATE perch_contract perch_store perch_bus)
target_link_options(perch PRIVATE
	-Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/perch.map)
set_target_properties(perch PROPERTIES LINK_DEPENDS
	${CMAKE_CURRENT_LIST_DIR}/perch.map)

configure_file(${CMAKE_CURRENT_LIST_DIR}/perch.pc.in
	${CMAKE_BINARY_DIR}/perch.pc @ONLY)
install(TARGETS perch LIBRARY DESTINATION lib COMPONENT perch)
install(DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/include/perch
	DESTINATION include COMPONENT perch)
install(FILES ${CMAKE_BINARY_DIR}/perch.pc
	DESTINATION lib/pkgconfig COMPONENT perch)

string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
add_test(NAME install_perch COMMAND
	${CMAKE_SOURCE_DIR}/tests/install/check.sh ${CMAKE_BINARY_DIR}
	"${CMAKE_C_COMPILER}"
	"${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${build_type}}")
set_tests_properties(install_perch PROPERTIES TIMEOUT 120 LABELS system)
