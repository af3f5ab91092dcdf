// All that differs between the targets: the name of the adapter.
extern const char* const fuzzed_adapter;
const char* const fuzzed_adapter = BENCHER_FUZZ_ADAPTER;
