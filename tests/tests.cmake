# What several kinds of test share.
file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.c)
add_library(perch_support STATIC ${support})
target_include_directories(perch_support PUBLIC ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(perch_support PUBLIC perch_contract)
target_compile_definitions(perch_support PRIVATE
	PERCH_SOURCE="${CMAKE_SOURCE_DIR}")

# A cluster of `ordered` in one process, for its unit tests and traces.
file(GLOB net CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/net/*.c)
add_library(perch_net STATIC ${net})
target_include_directories(perch_net PUBLIC ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(perch_net PUBLIC perch_consensus)

# Nodes that say what a test wants, for libperch and the wallet.
file(GLOB fake CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fake/*.c)
add_library(perch_fake STATIC ${fake})
target_include_directories(perch_fake PUBLIC ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(perch_fake PUBLIC perch_client)

# Every test is found by its place: tests/unit/NAME.c is one cmocka program.
file(GLOB unit_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*.c)
foreach(file ${unit_tests})
	get_filename_component(name ${file} NAME_WE)
	add_executable(unit_${name} ${file})
	target_link_libraries(unit_${name} perch_fake perch_client
		perch_service perch_support perch_net PkgConfig::CMOCKA)
	target_compile_definitions(unit_${name} PRIVATE
		PERCH_VECTORS="${PERCH_VECTORS}"
		PERCH_SOURCE="${CMAKE_SOURCE_DIR}"
		PERCH_BIN="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
	if(TARGET perch-${name}) # a program's test runs that program
		add_dependencies(unit_${name} perch-${name})
	endif()
	add_test(NAME unit_${name} COMMAND unit_${name})
	# Debian's libzmq, LMDB and czmq are not instrumented.
	set_tests_properties(unit_${name} PROPERTIES TIMEOUT 600 LABELS unit
		ENVIRONMENT TSAN_OPTIONS=ignore_noninstrumented_modules=1)
endforeach()

# Those in which threads meet: run/test.sh tsan.
foreach(name bus bus_hostile bus_user client_follow client_hold client_link
	driver finder index index_hurt links miner rate search store_real worker
	zap)
	set_tests_properties(unit_${name} PROPERTIES LABELS "unit;threads")
endforeach()

# Those that mostly wait do it while others work.
foreach(name client_follow client_submit wallet)
	set_tests_properties(unit_${name} PROPERTIES COST 90)
endforeach()

# What a service has that is pure is tested with the service's own files.
file(GLOB observer_pure ${CMAKE_SOURCE_DIR}/services/observer/model.c
	${CMAKE_SOURCE_DIR}/services/observer/fork.c
	${CMAKE_SOURCE_DIR}/services/observer/chains.c
	${CMAKE_SOURCE_DIR}/services/observer/now.c
	${CMAKE_SOURCE_DIR}/services/observer/pen.c
	${CMAKE_SOURCE_DIR}/services/observer/render.c)
foreach(name observer_model observer_render)
	target_sources(unit_${name} PRIVATE ${observer_pure})
	target_include_directories(unit_${name} PRIVATE
		${CMAKE_SOURCE_DIR}/services)
endforeach()

# The evaluator, but for its sockets.
foreach(name archive check execute)
	target_sources(unit_evaluator PRIVATE
		${CMAKE_SOURCE_DIR}/services/contract/${name}.c)
endforeach()
target_include_directories(unit_evaluator PRIVATE ${CMAKE_SOURCE_DIR}/services)

# The controller's drivers and its judgement.
file(GLOB pads ${CMAKE_SOURCE_DIR}/services/controller/*.c)
list(FILTER pads EXCLUDE REGEX "/(main|desk|say)\\.c$")
add_library(perch_pads STATIC ${pads} ${GEN}/drivers.c)
target_include_directories(perch_pads PUBLIC ${CMAKE_SOURCE_DIR}/services)
target_link_libraries(perch_pads PUBLIC perch_client perch_service)
foreach(name mavlink pads controller controller_facts)
	if(TARGET unit_${name})
		target_link_libraries(unit_${name} perch_pads)
	endif()
endforeach()
file(GLOB rigs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/pads/*.c)
target_sources(unit_pads PRIVATE ${rigs})

# tests/trace: stories of `ordered`, each played and compared with itself.
add_executable(trace ${CMAKE_SOURCE_DIR}/tests/trace/runner.c
	${CMAKE_SOURCE_DIR}/tests/trace/words.c)
target_link_libraries(trace perch_net)
file(GLOB traces CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/trace/*.txt)
foreach(file ${traces})
	get_filename_component(name ${file} NAME_WE)
	add_test(NAME trace_${name} COMMAND trace ${file})
	set_tests_properties(trace_${name} PROPERTIES TIMEOUT 600 LABELS trace)
endforeach()

# What checks the repository itself, with Debian's Python and its packages.
find_program(DEBIAN_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
file(GLOB source_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/source/*.py)
foreach(file ${source_tests})
	get_filename_component(name ${file} NAME_WE)
	add_test(NAME source_${name} COMMAND ${DEBIAN_PYTHON} ${file})
	set_tests_properties(source_${name} PROPERTIES TIMEOUT 600
		LABELS source SKIP_RETURN_CODE 77 ENVIRONMENT
		"PERCH_BUILD=${CMAKE_BINARY_DIR};PERCH_BUILD_TYPE=${CMAKE_BUILD_TYPE}")
endforeach()

# Real processes, which wait for each other most of the time: they begin first,
# the longest before the others.
file(GLOB system_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/system/*.py)
foreach(file ${system_tests})
	get_filename_component(name ${file} NAME_WE)
	add_test(NAME system_${name} COMMAND ${DEBIAN_PYTHON} ${file})
	set_tests_properties(system_${name} PROPERTIES TIMEOUT 600
		LABELS system COST 100 SKIP_RETURN_CODE 77 ENVIRONMENT
		"PERCH_BIN=${CMAKE_BINARY_DIR}/bin;PERCH_BUILD_TYPE=${CMAKE_BUILD_TYPE};TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1")
endforeach()
foreach(name session undone)
	set_tests_properties(system_${name} PROPERTIES LABELS "system;threads")
endforeach()
foreach(name controller report mining discover forks certificate clocks)
	set_tests_properties(system_${name} PROPERTIES COST 200
		LABELS "system;long")
endforeach()

# tests/fuzz: the same targets under libFuzzer (PERCH_FUZZ, clang) or replayed.
find_library(MSGPACKC msgpackc REQUIRED)
add_library(perch_fuzz STATIC ${CMAKE_SOURCE_DIR}/tests/fuzz/targets.c
	${CMAKE_SOURCE_DIR}/tests/fuzz/differ.c
	${CMAKE_SOURCE_DIR}/tests/fuzz/script.c
	${CMAKE_SOURCE_DIR}/tests/fuzz/execute.c
	${CMAKE_SOURCE_DIR}/tests/fuzz/connect.c
	${CMAKE_SOURCE_DIR}/services/controller/mavlink.c)
target_include_directories(perch_fuzz PRIVATE ${CMAKE_SOURCE_DIR}/services)
target_link_libraries(perch_fuzz PUBLIC perch_support perch_contract perch_bus
	${MSGPACKC})
add_executable(fuzz_replay ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
target_link_libraries(fuzz_replay perch_fuzz)
target_compile_definitions(fuzz_replay PRIVATE
	PERCH_SOURCE="${CMAKE_SOURCE_DIR}")
add_test(NAME fuzz_replay COMMAND fuzz_replay)
set_tests_properties(fuzz_replay PROPERTIES TIMEOUT 600 LABELS fuzz)
if(PERCH_FUZZ)
	set(fuzz_names frame differ open execute snapshot pass mavlink connect zap)
	foreach(file ${CDDL})
		file(STRINGS ${file} rules REGEX "^[a-z_0-9]+ = \\[")
		string(REPLACE " = [" "" rules "${rules}")
		list(APPEND fuzz_names ${rules})
	endforeach()
	add_custom_target(fuzz)
	foreach(name ${fuzz_names})
		add_executable(fuzz_${name} EXCLUDE_FROM_ALL
			${CMAKE_SOURCE_DIR}/tests/fuzz/libfuzzer.c)
		target_compile_definitions(fuzz_${name} PRIVATE
			FUZZ_TARGET="${name}")
		target_link_libraries(fuzz_${name} perch_fuzz
			-fsanitize=fuzzer)
		add_dependencies(fuzz fuzz_${name})
	endforeach()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/sim/sim.cmake)

# The longest of those that only calculate, so that none is left alone at the
# end.
foreach(name unit_ordered_small source_teeth sim_ordered)
	set_tests_properties(${name} PROPERTIES COST 50)
endforeach()

# What run/bench.sh measures with.
foreach(name limits load mining replay store)
	add_executable(perch-${name} ${CMAKE_SOURCE_DIR}/tests/bench/${name}.c)
	target_link_libraries(perch-${name} perch_client)
endforeach()

# The wires between the nodes of run/cluster.sh up --cuttable.
add_executable(perch-relay ${CMAKE_SOURCE_DIR}/tests/relay/relay.c)

# A wall clock that is wrong, for programs that a test starts.
add_library(perch-shift SHARED ${CMAKE_SOURCE_DIR}/tests/shift/shift.c)
set_target_properties(perch-shift PROPERTIES LIBRARY_OUTPUT_DIRECTORY
	${CMAKE_RUNTIME_OUTPUT_DIRECTORY})

# The contract alone: what a block costs, and a day of a city.
add_executable(perch-bench-contract EXCLUDE_FROM_ALL
	${CMAKE_SOURCE_DIR}/tests/bench/contract.c)
target_link_libraries(perch-bench-contract perch_contract)
add_executable(perch-bench-day EXCLUDE_FROM_ALL
	${CMAKE_SOURCE_DIR}/tests/bench/day.c
	${CMAKE_SOURCE_DIR}/tests/bench/city.c
	${CMAKE_SOURCE_DIR}/tests/bench/city_write.c)
target_link_libraries(perch-bench-day perch_service)
