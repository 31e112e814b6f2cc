/* tests/fuzz/libfuzzer.c -- one target, FUZZ_TARGET, driven by libFuzzer. */
#include "fuzz/targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_run(FUZZ_TARGET, view_of(data, size));
	return 0;
}
