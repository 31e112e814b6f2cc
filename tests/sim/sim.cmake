# perch-sim: a cluster in one process, decided by a seed (see README.md here).
file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.c)
if(NOT engine_files)
	return()
endif()
add_executable(perch-sim ${sim_sources})
target_include_directories(perch-sim PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(perch-sim perch_consensus m)
# Planted mistakes take the place of these functions.
target_link_options(perch-sim PRIVATE
	-Wl,--wrap=state_seen,--wrap=arena_rollback,--wrap=contract_execute)

# A few hundred seeds each, fewer where every step is watched.
set(sim_seeds 400)
set(sim_teeth_seeds 150)
if(CMAKE_BUILD_TYPE STREQUAL "Asan" OR CMAKE_BUILD_TYPE STREQUAL "Tsan")
	set(sim_seeds 40)
	set(sim_teeth_seeds 0)
endif()
set(sim_environment
	"ASAN_OPTIONS=abort_on_error=1:detect_leaks=0"
	"UBSAN_OPTIONS=abort_on_error=1:print_stacktrace=1")
add_test(NAME sim_study COMMAND perch-sim --engine pow --nodes 500)
set_tests_properties(sim_study PROPERTIES TIMEOUT 600 LABELS sim)
foreach(file ${engine_files})
	get_filename_component(folder ${file} DIRECTORY)
	get_filename_component(engine ${folder} NAME)
	set(seeds ${sim_seeds})
	set(teeth_seeds ${sim_teeth_seeds})
	if(engine STREQUAL "pow") # every block is really mined
		math(EXPR seeds "${sim_seeds} / 10")
		set(teeth_seeds 0)
	endif()
	add_test(NAME sim_${engine} COMMAND perch-sim --engine ${engine}
		--seeds ${seeds})
	set_tests_properties(sim_${engine} PROPERTIES TIMEOUT 600
		LABELS sim ENVIRONMENT "${sim_environment}")
	if(teeth_seeds GREATER 0)
		add_test(NAME sim_teeth_${engine} COMMAND perch-sim --teeth
			--engine ${engine} --seeds ${teeth_seeds})
		set_tests_properties(sim_teeth_${engine} PROPERTIES
			TIMEOUT 600 LABELS sim)
	endif()
endforeach()
